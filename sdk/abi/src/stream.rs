//! Byte streams across the boundary, poll by poll.
//!
//! A stream crosses once per buffer, never per byte. Reads go into the caller's uninitialised buffer. A provider that claims
//! more bytes than it was given room for is an I/O error charged to it. A panic in a poll is an I/O error too.

use crate::{
    contained::Contained,
    waker::{lend, AbiWaker, WakerCache},
    wire_as_is,
};
use abi_stable::{
    std_types::{RSlice, RString},
    StableAbi,
};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A byte stream that lives on the other side: TCP from the host, TLS from a provider. Implements tokio's `AsyncRead` and
/// `AsyncWrite`. Dropping it closes it.
#[repr(C)]
#[derive(StableAbi)]
pub struct Stream {
    data: *mut (),
    vt: &'static StreamVt,
    vectored: bool,
}

/// What can be done with a [`Stream`].
#[repr(C)]
#[derive(StableAbi)]
pub struct StreamVt {
    read: unsafe extern "C" fn(*mut (), *const AbiWaker, *mut u8, usize) -> IoPoll,
    write: unsafe extern "C" fn(*mut (), *const AbiWaker, *const u8, usize) -> IoPoll,
    writev: unsafe extern "C" fn(*mut (), *const AbiWaker, *const RSlice<'static, u8>, usize) -> IoPoll,
    flush: unsafe extern "C" fn(*mut (), *const AbiWaker) -> IoPoll,
    shutdown: unsafe extern "C" fn(*mut (), *const AbiWaker) -> IoPoll,
    drop: unsafe extern "C" fn(*mut ()),
}

/// The answer to a poll.
#[repr(C)]
#[derive(StableAbi)]
pub struct IoPoll {
    state: u32,
    kind: u32,
    count: usize,
    text: RString,
}

const PENDING: u32 = 0;
const READY: u32 = 1;
const FAILED: u32 = 2;

// SAFETY: made only by `Stream::new`, which demands Send.
unsafe impl Send for Stream {}
// SAFETY: through a shared reference only `vectored` can be read; the stream itself is never reached.
unsafe impl Sync for Stream {}
wire_as_is!(Stream);

struct Exported<S> {
    stream: S,
    reader: WakerCache,
    writer: WakerCache,
}

struct Table<S>(std::marker::PhantomData<S>);
impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Table<S> {
    const VT: StreamVt = StreamVt {
        read: read::<S>,
        write: write::<S>,
        writev: writev::<S>,
        flush: flush::<S>,
        shutdown: shutdown::<S>,
        drop: drop_stream::<S>,
    };
}

impl Stream {
    /// Exports a stream, to be used in the scope that is current now.
    pub fn new<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(stream: S) -> Self {
        let vectored = stream.is_write_vectored();
        let exported = Exported { stream, reader: WakerCache::new(), writer: WakerCache::new() };
        let data = Box::into_raw(Box::new(Contained::new(exported))).cast();
        Stream { data, vt: &Table::<S>::VT, vectored }
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: dropped once, by the owner.
        unsafe { (self.vt.drop)(self.data) }
    }
}

/// Runs one poll on the exported stream and packs the answer.
///
/// # Safety
/// `data` is the box made in `Stream::new` for the same `S`, used by its one owner; `waker` lives for the call.
unsafe fn poll<S>(
    data: *mut (),
    waker: *const AbiWaker,
    pick: fn(&mut Exported<S>) -> (&mut S, &mut WakerCache),
    work: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<usize>>,
) -> IoPoll
where
    S: Unpin,
{
    // SAFETY: by contract.
    let (exported, waker) = unsafe { (&mut *data.cast::<Contained<Exported<S>>>(), &*waker) };
    let polled = exported.call_mut(|exported| {
        let (stream, cache) = pick(exported);
        cache.with(waker, |waker| work(Pin::new(stream), &mut Context::from_waker(waker)))
    });
    match polled {
        Some(Poll::Pending) => answer(PENDING, 0),
        Some(Poll::Ready(Ok(count))) => answer(READY, count),
        Some(Poll::Ready(Err(error))) => failed(&error),
        None => failed(&io::Error::other("the plugin that provides this stream failed")),
    }
}

fn answer(state: u32, count: usize) -> IoPoll {
    IoPoll { state, kind: 0, count, text: RString::new() }
}

fn failed(error: &io::Error) -> IoPoll {
    IoPoll { state: FAILED, kind: kind_to_number(error.kind()), count: 0, text: error.to_string().into() }
}

fn reader<S>(exported: &mut Exported<S>) -> (&mut S, &mut WakerCache) {
    (&mut exported.stream, &mut exported.reader)
}

fn writer<S>(exported: &mut Exported<S>) -> (&mut S, &mut WakerCache) {
    (&mut exported.stream, &mut exported.writer)
}

unsafe extern "C" fn read<S: AsyncRead + Unpin>(
    data: *mut (),
    waker: *const AbiWaker,
    start: *mut u8,
    len: usize,
) -> IoPoll {
    // SAFETY: the caller lends `len` bytes for this call; they need not be initialised.
    let room = unsafe { std::slice::from_raw_parts_mut(start.cast(), len) };
    // SAFETY: the table belongs to this stream.
    unsafe {
        poll::<S>(data, waker, reader, |stream, cx| {
            let mut buf = ReadBuf::uninit(room);
            stream.poll_read(cx, &mut buf).map(|read| match read {
                // Safe code can put another buffer in place of ours; what it says of that one is not true of ours.
                Ok(()) if buf.filled().as_ptr() != start.cast_const() => Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the provider of this stream exchanged the buffer that it was given",
                )),
                read => read.map(|()| buf.filled().len()),
            })
        })
    }
}

unsafe extern "C" fn write<S: AsyncWrite + Unpin>(
    data: *mut (),
    waker: *const AbiWaker,
    start: *const u8,
    len: usize,
) -> IoPoll {
    // SAFETY: the caller lends `len` initialised bytes for this call.
    let bytes = unsafe { std::slice::from_raw_parts(start, len) };
    // SAFETY: the table belongs to this stream.
    unsafe { poll::<S>(data, waker, writer, |stream, cx| stream.poll_write(cx, bytes)) }
}

/// So many slices go into one vectored write; the rest waits for the next.
const MAX_SLICES: usize = 64;

unsafe extern "C" fn writev<S: AsyncWrite + Unpin>(
    data: *mut (),
    waker: *const AbiWaker,
    start: *const RSlice<'static, u8>,
    len: usize,
) -> IoPoll {
    // SAFETY: the caller lends `len` slices for this call.
    let slices = unsafe { std::slice::from_raw_parts(start, len) };
    let mut parts = [io::IoSlice::new(&[]); MAX_SLICES];
    for (part, slice) in parts.iter_mut().zip(slices) {
        *part = io::IoSlice::new(slice.as_slice());
    }
    let parts = &parts[..len.min(MAX_SLICES)];
    // SAFETY: the table belongs to this stream.
    unsafe { poll::<S>(data, waker, writer, |stream, cx| stream.poll_write_vectored(cx, parts)) }
}

unsafe extern "C" fn flush<S: AsyncWrite + Unpin>(data: *mut (), waker: *const AbiWaker) -> IoPoll {
    // SAFETY: the table belongs to this stream.
    unsafe { poll::<S>(data, waker, writer, |stream, cx| stream.poll_flush(cx).map_ok(|()| 0)) }
}

unsafe extern "C" fn shutdown<S: AsyncWrite + Unpin>(data: *mut (), waker: *const AbiWaker) -> IoPoll {
    // SAFETY: the table belongs to this stream.
    unsafe { poll::<S>(data, waker, writer, |stream, cx| stream.poll_shutdown(cx).map_ok(|()| 0)) }
}

unsafe extern "C" fn drop_stream<S>(data: *mut ()) {
    // SAFETY: the owner gives the box of `Stream::new` back.
    drop(unsafe { Box::from_raw(data.cast::<Contained<Exported<S>>>()) });
}

impl IoPoll {
    fn unpack(self, room: usize) -> Poll<io::Result<usize>> {
        match self.state {
            PENDING => Poll::Pending,
            READY if self.count <= room => Poll::Ready(Ok(self.count)),
            READY => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the provider of this stream claims more bytes than it was given room for",
            ))),
            _ => Poll::Ready(Err(io::Error::new(kind_from_number(self.kind), self.text.into_string()))),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let waker = lend(cx.waker());
        // SAFETY: nothing is un-initialised through this view; the provider only writes.
        let room = unsafe { buf.unfilled_mut() };
        // SAFETY: the data belongs to this table; the buffer is lent for this call.
        let polled = unsafe { (self.vt.read)(self.data, &*waker, room.as_mut_ptr().cast(), room.len()) };
        let len = room.len();
        polled.unpack(len).map_ok(|count| {
            // SAFETY: the provider says that it has written `count` bytes, and `count` was checked against the room.
            unsafe { buf.assume_init(count) };
            buf.advance(count);
        })
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let waker = lend(cx.waker());
        // SAFETY: the data belongs to this table; the bytes are lent for this call.
        unsafe { (self.vt.write)(self.data, &*waker, bytes.as_ptr(), bytes.len()) }.unpack(bytes.len())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let waker = lend(cx.waker());
        let slices = &slices[..slices.len().min(MAX_SLICES)];
        let mut parts = [RSlice::EMPTY; MAX_SLICES];
        for (part, slice) in parts.iter_mut().zip(slices) {
            // SAFETY: the lifetime is widened for the call only; the provider does not keep the slices.
            *part = RSlice::from_slice(unsafe { std::slice::from_raw_parts(slice.as_ptr(), slice.len()) });
        }
        let room = slices.iter().map(|slice| slice.len()).sum();
        // SAFETY: the data belongs to this table; the slices are lent for this call.
        unsafe { (self.vt.writev)(self.data, &*waker, parts.as_ptr(), slices.len()) }.unpack(room)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let waker = lend(cx.waker());
        // SAFETY: the data belongs to this table.
        unsafe { (self.vt.flush)(self.data, &*waker) }.unpack(0).map_ok(|_| ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let waker = lend(cx.waker());
        // SAFETY: the data belongs to this table.
        unsafe { (self.vt.shutdown)(self.data, &*waker) }.unpack(0).map_ok(|_| ())
    }

    fn is_write_vectored(&self) -> bool {
        self.vectored
    }
}

/// The error kinds that callers tell apart; all others cross as "other".
const KINDS: [(u32, io::ErrorKind); 9] = [
    (1, io::ErrorKind::ConnectionReset),
    (2, io::ErrorKind::ConnectionAborted),
    (3, io::ErrorKind::BrokenPipe),
    (4, io::ErrorKind::UnexpectedEof),
    (5, io::ErrorKind::TimedOut),
    (6, io::ErrorKind::InvalidData),
    (7, io::ErrorKind::ConnectionRefused),
    (8, io::ErrorKind::NotConnected),
    (9, io::ErrorKind::Interrupted),
];

pub(crate) fn kind_to_number(kind: io::ErrorKind) -> u32 {
    KINDS.iter().find(|(_, known)| *known == kind).map_or(0, |(number, _)| *number)
}

pub(crate) fn kind_from_number(number: u32) -> io::ErrorKind {
    KINDS.iter().find(|(known, _)| *known == number).map_or(io::ErrorKind::Other, |(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    struct Liar;
    impl AsyncRead for Liar {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            panic!("boom")
        }
    }
    impl AsyncWrite for Liar {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len() + 1))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn lies_and_panics_are_errors() {
        let mut stream = Stream::new(Liar);
        let mut cx = Context::from_waker(Waker::noop());
        let mut room = [0; 4];
        let read = Pin::new(&mut stream).poll_read(&mut cx, &mut ReadBuf::new(&mut room));
        assert!(matches!(read, Poll::Ready(Err(_))), "{read:?}");
        let written = Pin::new(&mut stream).poll_write(&mut cx, b"abc");
        assert!(matches!(written, Poll::Ready(Err(ref e)) if e.kind() == io::ErrorKind::InvalidData));
        let flushed = Pin::new(&mut stream).poll_flush(&mut cx);
        assert!(matches!(flushed, Poll::Ready(Err(ref e)) if e.kind() == io::ErrorKind::TimedOut));
    }

    #[test]
    fn an_exchanged_buffer_is_an_error() {
        struct Swaps;
        impl AsyncRead for Swaps {
            fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
                let mut other = ReadBuf::new(Box::leak(Box::new([0; 4])));
                other.set_filled(4);
                *buf = other;
                Poll::Ready(Ok(()))
            }
        }
        impl AsyncWrite for Swaps {
            fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
                Poll::Pending
            }
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Pending
            }
            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Pending
            }
        }
        let mut stream = Stream::new(Swaps);
        let mut room = [std::mem::MaybeUninit::uninit(); 4];
        let read =
            Pin::new(&mut stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut ReadBuf::uninit(&mut room));
        assert!(matches!(read, Poll::Ready(Err(ref e)) if e.kind() == io::ErrorKind::InvalidData), "{read:?}");
    }

    #[tokio::test]
    async fn bytes_pass_both_ways() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut stream = Stream::new(near);
        stream.write_all(b"hello").await.unwrap();
        let mut got = [0; 5];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hello");
        far.write_all(b"back").await.unwrap();
        drop(far);
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"back");
    }
}
