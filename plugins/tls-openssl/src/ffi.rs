//! What OpenSSL offers and the `openssl` crate does not: ticket keys, what a ticket carries, extensions of a ClientHello,
//! several chains in one context, revocation lists from memory, and the group of a key exchange.
//!
//! The only `unsafe` code of this plugin, one function for each call, each with a test. Nothing here decides anything: what
//! a callback answers is worked out in `tickets`. Panics do not leave a callback (see `guard`).
//!
//! Needs OpenSSL 3.0 or later.
#![allow(unsafe_code)]

use super::{
    guard::contained,
    tickets::{self, Opened, Usable},
};
use foreign_types::ForeignTypeRef;
use openssl::{
    cipher_ctx::CipherCtxRef,
    error::ErrorStack,
    pkey::{PKeyRef, Private},
    ssl::{Error, SslContextBuilder, SslRef, SslSessionRef, SslStream},
    stack::StackRef,
    x509::{store::X509StoreBuilderRef, X509CrlRef, X509Ref, X509},
};
use openssl_sys::{self as sys, EVP_CIPHER_CTX, EVP_MAC_CTX, OSSL_PARAM, SSL, SSL_CTX, SSL_SESSION};
use std::{
    ffi::{c_int, c_long, c_uchar, c_uint, c_void, CStr},
    io::{Read, Write},
    ptr, slice,
};
use tokio::io::ReadBuf;

/// Has tickets sealed and opened with the ring of keys that [`tickets::ring_of`] knows for the connection.
pub(crate) fn set_ticket_keys(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    // SAFETY: the context lives; the callback keeps to the contract of SSL_CTX_set_tlsext_ticket_key_evp_cb(3).
    done(unsafe { SSL_CTX_set_tlsext_ticket_key_evp_cb(builder.as_ptr(), Some(ticket_key)) })
}

unsafe extern "C" fn ticket_key(
    ssl: *mut SSL,
    name: *mut c_uchar,
    iv: *mut c_uchar,
    cipher: *mut EVP_CIPHER_CTX,
    mac: *mut EVP_MAC_CTX,
    seal: c_int,
) -> c_int {
    contained(TICKET_FAILED, || {
        // SAFETY: OpenSSL lends all of this for the call: the connection, 16 bytes of a name, EVP_MAX_IV_LENGTH bytes of an
        // initialisation vector, and two contexts; nothing else uses them meanwhile.
        let (ssl, name, iv, cipher) = unsafe {
            let name = &mut *name.cast::<[u8; 16]>();
            (SslRef::from_ptr(ssl), name, &mut *iv.cast::<[u8; 16]>(), CipherCtxRef::from_ptr_mut(cipher))
        };
        let Some(ring) = tickets::ring_of(ssl) else {
            return TICKET_NONE;
        };
        // SAFETY: as above.
        let mut with_mac = |key: &[u8]| unsafe { key_mac(mac, key) };
        if seal != 0 {
            match ring.seal(name, iv, cipher, &mut with_mac) {
                Ok(()) => TICKET_GOOD,
                Err(_) => TICKET_FAILED,
            }
        } else {
            match ring.open(name, iv, cipher, &mut with_mac) {
                Ok(Opened::Newest) => TICKET_GOOD,
                Ok(Opened::Older) => TICKET_RENEW,
                Ok(Opened::Unknown) => TICKET_NONE,
                Err(_) => TICKET_FAILED,
            }
        }
    })
}

/// Gives HMAC-SHA-256 its key.
///
/// # Safety
/// `mac` is a context of HMAC that nothing else uses meanwhile.
unsafe fn key_mac(mac: *mut EVP_MAC_CTX, key: &[u8]) -> Result<(), ErrorStack> {
    let parameter = |name: &CStr, data_type, data: &[u8]| OSSL_PARAM {
        key: name.as_ptr(),
        data_type,
        data: data.as_ptr().cast_mut().cast(),
        data_size: data.len(),
        return_size: usize::MAX,
    };
    let end = OSSL_PARAM { key: ptr::null(), data_type: 0, data: ptr::null_mut(), data_size: 0, return_size: 0 };
    let parameters = [parameter(c"key", OCTETS, key), parameter(c"digest", UTF8, c"SHA256".to_bytes()), end];
    // SAFETY: by contract; the parameters are only read, during this call, and an empty one ends them. OpenSSL reads the
    // digest's name on to its NUL, which is there.
    done(unsafe { sys::EVP_MAC_CTX_set_params(mac, parameters.as_ptr()) })
}

/// Has [`tickets::to_carry`] decide what a ticket carries beside the session, and [`tickets::usable`] whether an opened one is
/// good. Clients are told that tickets are good for `lifetime` seconds.
pub(crate) fn set_ticket_contents(builder: &mut SslContextBuilder, lifetime: u32) -> Result<(), ErrorStack> {
    // SAFETY: the context lives; the callbacks keep to the contract of SSL_CTX_set_session_ticket_cb(3).
    unsafe {
        SSL_CTX_set_timeout(builder.as_ptr(), c_long::from(lifetime));
        done(SSL_CTX_set_session_ticket_cb(builder.as_ptr(), Some(fill_ticket), Some(judge_ticket), ptr::null_mut()))
    }
}

unsafe extern "C" fn fill_ticket(ssl: *mut SSL, _: *mut c_void) -> c_int {
    contained(0, || {
        // SAFETY: OpenSSL lends the connection for the call.
        let ssl = unsafe { SslRef::from_ptr(ssl) };
        let Some(session) = ssl.session() else {
            return 0;
        };
        let carry = tickets::to_carry(ssl, carried(session)).unwrap_or_default();
        // SAFETY: nobody else uses the session while its ticket is made; the bytes are copied.
        unsafe { SSL_SESSION_set1_ticket_appdata(session.as_ptr(), carry.as_ptr().cast(), carry.len()) }
    })
}

unsafe extern "C" fn judge_ticket(
    ssl: *mut SSL,
    session: *mut SSL_SESSION,
    _: *const c_uchar,
    _: usize,
    status: c_int,
    _: *mut c_void,
) -> c_int {
    contained(IGNORE_AND_RENEW, || {
        if !matches!(status, STATUS_GOOD | STATUS_RENEW) || session.is_null() {
            return IGNORE_AND_RENEW;
        }
        // SAFETY: OpenSSL lends the connection and the session, which it has just read from the ticket.
        let (ssl, session, peer) =
            unsafe { (SslRef::from_ptr(ssl), SslSessionRef::from_ptr(session), SSL_SESSION_get0_peer(session)) };
        // SAFETY: the certificate, if any, belongs to the session.
        let peer = (!peer.is_null()).then(|| unsafe { X509Ref::from_ptr(peer) });
        match tickets::usable(ssl, session, carried(session), peer, status == STATUS_RENEW) {
            Usable::Yes => USE,
            Usable::Renew => USE_AND_RENEW,
            Usable::No => IGNORE_AND_RENEW,
        }
    })
}

/// What the ticket carried that the session was resumed from.
pub(crate) fn carried(session: &SslSessionRef) -> &[u8] {
    let (mut data, mut len) = (ptr::null_mut(), 0);
    // SAFETY: the session lives, and its data lives as long, unchanged: a session in use is not changed.
    unsafe {
        if SSL_SESSION_get0_ticket_appdata(session.as_ptr(), &mut data, &mut len) != 1 || data.is_null() {
            return &[];
        }
        slice::from_raw_parts(data.cast(), len)
    }
}

/// The value of an extension of the ClientHello. There is one only while the ClientHello's callback runs.
pub(crate) fn hello_extension(ssl: &SslRef, kind: u16) -> Option<&[u8]> {
    let (mut data, mut len) = (ptr::null(), 0);
    // SAFETY: the connection lives; what is given lives until the callback ends, and the borrow of `ssl` ends before.
    unsafe {
        if SSL_client_hello_get0_ext(ssl.as_ptr(), c_uint::from(kind), &mut data, &mut len) != 1 || data.is_null() {
            return None;
        }
        Some(slice::from_raw_parts(data, len))
    }
}

/// Adds a certificate with its key and its chain, beside those of other kinds of keys.
pub(crate) fn add_identity(
    builder: &mut SslContextBuilder,
    leaf: &X509Ref,
    key: &PKeyRef<Private>,
    chain: &StackRef<X509>,
) -> Result<(), ErrorStack> {
    // SAFETY: all of these live; OpenSSL counts itself as another owner of them.
    done(unsafe { SSL_CTX_use_cert_and_key(builder.as_ptr(), leaf.as_ptr(), key.as_ptr(), chain.as_ptr(), 1) })
}

/// Adds a revocation list to a store.
pub(crate) fn add_crl(store: &mut X509StoreBuilderRef, crl: &X509CrlRef) -> Result<(), ErrorStack> {
    // SAFETY: both live; OpenSSL counts itself as another owner of the list.
    done(unsafe { X509_STORE_add_crl(store.as_ptr(), crl.as_ptr()) })
}

/// The group of the key exchange: its NID, or, if OpenSSL has none for it, its number (RFC 8446 §4.2.7).
pub(crate) fn group(ssl: &SslRef) -> Option<Result<i32, u16>> {
    // Where there is no session yet, OpenSSL would look into it nevertheless.
    ssl.session()?;
    // SAFETY: the connection lives and has a session; this control takes nothing and changes nothing.
    let answer = unsafe { sys::SSL_ctrl(ssl.as_ptr(), GET_NEGOTIATED_GROUP, 0, ptr::null_mut()) };
    let answer = i32::try_from(answer).ok().filter(|answer| *answer > 0)?;
    match u16::try_from(answer ^ WITHOUT_NID) {
        Ok(number) => Some(Err(number)),
        Err(_) => Some(Ok(answer)),
    }
}

/// Has a new connection resume a session. A session of another context, or one that has ended, makes a full handshake.
pub(crate) fn resume(ssl: &mut SslRef, session: &SslSessionRef) -> Result<(), ErrorStack> {
    // SAFETY: the caller, `sessions`, keeps a session with the context that it comes from, as the `openssl` crate demands.
    unsafe { ssl.set_session(session) }
}

/// Reads straight into the buffer, which need not be initialised.
pub(crate) fn read_into<S: Read + Write>(tls: &mut SslStream<S>, buf: &mut ReadBuf<'_>) -> Result<(), Error> {
    // SAFETY: `ssl_read_uninit` only writes.
    let room = unsafe { buf.unfilled_mut() };
    let count = tls.ssl_read_uninit(room)?;
    // SAFETY: as it says, it has written `count` bytes.
    unsafe { buf.assume_init(count) };
    buf.advance(count);
    Ok(())
}

fn done(answer: c_int) -> Result<(), ErrorStack> {
    if answer == 1 {
        Ok(())
    } else {
        Err(ErrorStack::get())
    }
}

const TICKET_FAILED: c_int = -1;
const TICKET_NONE: c_int = 0;
const TICKET_GOOD: c_int = 1;
const TICKET_RENEW: c_int = 2;
const STATUS_GOOD: c_int = 5;
const STATUS_RENEW: c_int = 6;
const IGNORE_AND_RENEW: c_int = 2;
const USE: c_int = 3;
const USE_AND_RENEW: c_int = 4;
const UTF8: c_uint = 4;
const OCTETS: c_uint = 5;
const GET_NEGOTIATED_GROUP: c_int = 134;
/// Set in the answer for a group without a NID.
const WITHOUT_NID: i32 = 0x0100_0000;

type TicketKeyCallback =
    unsafe extern "C" fn(*mut SSL, *mut c_uchar, *mut c_uchar, *mut EVP_CIPHER_CTX, *mut EVP_MAC_CTX, c_int) -> c_int;
type FillTicket = unsafe extern "C" fn(*mut SSL, *mut c_void) -> c_int;
type JudgeTicket = unsafe extern "C" fn(*mut SSL, *mut SSL_SESSION, *const c_uchar, usize, c_int, *mut c_void) -> c_int;

// As in ssl.h, tls1.h and x509_vfy.h of OpenSSL 3.0. `openssl-sys` links the libraries.
extern "C" {
    fn SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx: *mut SSL_CTX, callback: Option<TicketKeyCallback>) -> c_int;
    fn SSL_CTX_set_session_ticket_cb(
        ctx: *mut SSL_CTX,
        fill: Option<FillTicket>,
        judge: Option<JudgeTicket>,
        argument: *mut c_void,
    ) -> c_int;
    fn SSL_CTX_set_timeout(ctx: *mut SSL_CTX, seconds: c_long) -> c_long;
    fn SSL_SESSION_set1_ticket_appdata(session: *mut SSL_SESSION, data: *const c_void, len: usize) -> c_int;
    fn SSL_SESSION_get0_ticket_appdata(session: *mut SSL_SESSION, data: *mut *mut c_void, len: *mut usize) -> c_int;
    fn SSL_SESSION_get0_peer(session: *mut SSL_SESSION) -> *mut sys::X509;
    fn SSL_client_hello_get0_ext(ssl: *mut SSL, kind: c_uint, data: *mut *const c_uchar, len: *mut usize) -> c_int;
    fn SSL_CTX_use_cert_and_key(
        ctx: *mut SSL_CTX,
        leaf: *mut sys::X509,
        key: *mut sys::EVP_PKEY,
        chain: *mut sys::stack_st_X509,
        replace: c_int,
    ) -> c_int;
    fn X509_STORE_add_crl(store: *mut sys::X509_STORE, crl: *mut sys::X509_CRL) -> c_int;
}

#[cfg(test)]
mod tests;
