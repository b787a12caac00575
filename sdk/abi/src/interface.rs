//! The macro that turns one declaration into provider trait, client, table and glue.

/// Declares an interface.
///
/// `now fn` answers at once; `later fn` is async on both faces. Every method returns a `Result` whose error can be made
/// from a [`CallFailure`](crate::CallFailure), so that a panic or an absent provider is an answer like any other.
///
/// ```
/// dovetail_abi::interface! {
///     /// Counts.
///     pub interface Counter, provider CounterProvider, table CounterVt = "example.counter/1" {
///         /// Adds `by` and gives the sum.
///         now fn add(by: u64) -> Result<u64, dovetail_abi::CallFailure>;
///     }
/// }
/// struct Mine(std::sync::atomic::AtomicU64);
/// impl CounterProvider for Mine {
///     fn add(&self, by: u64) -> Result<u64, dovetail_abi::CallFailure> {
///         Ok(self.0.fetch_add(by, std::sync::atomic::Ordering::Relaxed) + by)
///     }
/// }
/// let counter = Counter::new(Mine(0.into()));
/// assert_eq!(counter.add(2), Ok(2));
/// ```
#[macro_export]
macro_rules! interface {
    (
        $(#[$meta:meta])*
        pub interface $Client:ident, provider $Provider:ident, table $Vt:ident = $id:literal {
            $(
                $(#[$mmeta:meta])*
                $kind:ident fn $method:ident ( $( $arg:ident : $ty:ty ),* $(,)? ) -> $ret:ty;
            )*
        }
    ) => {
        $(#[$meta])*
        #[doc = concat!("\n\nThe client of `", $id, "`: a counted handle, cheap to clone.")]
        #[derive(Clone)]
        pub struct $Client($crate::handle::AbiHandle<$Vt>);

        #[doc = concat!("What a provider of `", $id, "` implements; see [`", stringify!($Client), "`].")]
        pub trait $Provider: Send + Sync + 'static {
            $(
                $(#[$mmeta])*
                fn $method(&self, $( $arg: $ty ),*) -> $crate::__interface_ret!($kind $ret);
            )*
        }

        #[doc = concat!("The method table of `", $id, "`.")]
        #[repr(C)]
        #[derive($crate::reexport::abi_stable::StableAbi)]
        pub struct $Vt {
            $(
                $method: unsafe extern "C" fn(
                    *const (),
                    $( <$ty as $crate::wire::Wire>::Abi ),*
                ) -> <$crate::kind::$kind as $crate::kind::Kind<$ret>>::Abi,
            )*
        }

        const _: () = {
            #[allow(dead_code)]
            struct Glue<T>(::std::marker::PhantomData<T>);

            #[allow(unused_variables, unused_mut, unsafe_code)]
            impl<T: $Provider> Glue<T> {
                const VT: $Vt = $Vt { $( $method: Self::$method ),* };
                $(
                    unsafe extern "C" fn $method(
                        data: *const (),
                        $( $arg: <$ty as $crate::wire::Wire>::Abi ),*
                    ) -> <$crate::kind::$kind as $crate::kind::Kind<$ret>>::Abi {
                        $crate::__interface_glue!($kind T, data, $ret, $method, ( $( $arg : $ty ),* ))
                    }
                )*
            }

            #[allow(unsafe_code)]
            impl $Client {
                /// Makes a handle to `provider`, in the scope that is current now.
                pub fn new<T: $Provider>(provider: T) -> Self {
                    Self::export(::std::sync::Arc::new($crate::contained::Contained::new(provider)))
                }

                /// Makes a further handle, to a provider that already stands.
                pub fn export<T: $Provider>(provider: ::std::sync::Arc<$crate::contained::Contained<T>>) -> Self {
                    // SAFETY: this table was made for `T`.
                    $Client(unsafe { $crate::handle::AbiHandle::export(provider, &Glue::<T>::VT) })
                }

                $(
                    $crate::__interface_client! { $kind [$(#[$mmeta])*] $method, ( $( $arg : $ty ),* ), $ret }
                )*
            }
        };

        // SAFETY: the table was made above, for the objects that `export` puts into its handles.
        #[allow(unsafe_code)]
        unsafe impl $crate::handle::Interface for $Client {
            const ID: &'static str = $id;
            type Vt = $Vt;
            fn from_handle(handle: $crate::handle::AbiHandle<$Vt>) -> Self { $Client(handle) }
            fn into_handle(self) -> $crate::handle::AbiHandle<$Vt> { self.0 }
        }

        impl $crate::handle::Described for $Client {
            const INTERFACE: &'static str = $id;
            fn layout() -> &'static $crate::reexport::abi_stable::type_layout::TypeLayout {
                $crate::handle::layout_of::<Self>()
            }
        }

        impl<T: $Provider> $crate::handle::Offer<T> for $Client {
            fn offer(provider: &::std::sync::Arc<$crate::contained::Contained<T>>) -> $crate::AnyHandle {
                <Self as $crate::handle::Interface>::erase($Client::export(provider.clone()))
            }
        }

        impl $crate::wire::Wire for $Client {
            type Abi = $crate::handle::AbiHandle<$Vt>;
            fn into_abi(self) -> Self::Abi { self.0 }
            fn from_abi(abi: Self::Abi) -> Self { $Client(abi) }
        }

        impl ::std::fmt::Debug for $Client {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(concat!(stringify!($Client), "(", $id, ")"))
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __interface_ret {
    (now $ret:ty) => { $ret };
    (later $ret:ty) => { impl ::std::future::Future<Output = $ret> + Send };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __interface_glue {
    (now $T:ident, $data:ident, $ret:ty, $method:ident, ( $( $arg:ident : $ty:ty ),* )) => {{
        // SAFETY: `AbiHandle` passes the object that this table was made for.
        let object = unsafe { $crate::handle::object::<$T>($data) };
        let answer = object.call(|object| {
            <$ret as $crate::wire::Wire>::into_abi(object.$method($( <$ty as $crate::wire::Wire>::from_abi($arg) ),*))
        });
        match answer {
            Some(answer) => answer,
            None => <$ret as $crate::wire::Wire>::into_abi(
                <$ret as $crate::failure::FromFailure>::from_failure($crate::CallFailure::Panicked)),
        }
    }};
    (later $T:ident, $data:ident, $ret:ty, $method:ident, ( $( $arg:ident : $ty:ty ),* )) => {{
        // SAFETY: `AbiHandle` passes the object that this table was made for.
        let object = unsafe { $crate::handle::shared::<$T>($data) };
        let kept = object.clone();
        // The call is made here and not in an async block around it, which would keep the arguments for its whole life.
        object.call(move |_| {
            // SAFETY: the future that borrows the object is kept together with a reference to it, and dropped before that.
            let lasting: &'static $T = unsafe { &*::std::ptr::from_ref(kept.value()) };
            let work = lasting.$method($( <$ty as $crate::wire::Wire>::from_abi($arg) ),*);
            $crate::AbiFuture::new($crate::future::Answering::<$ret, _, _>::new(work, kept))
        }).unwrap_or_else(|| $crate::AbiFuture::new(async {
            <$ret as $crate::wire::Wire>::into_abi(
                <$ret as $crate::failure::FromFailure>::from_failure($crate::CallFailure::Panicked))
        }))
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __interface_client {
    (now [$(#[$meta:meta])*] $method:ident, ( $( $arg:ident : $ty:ty ),* ), $ret:ty) => {
        $(#[$meta])*
        pub fn $method(&self, $( $arg: $ty ),*) -> $ret {
            // SAFETY: the object belongs to this table.
            let answer = unsafe { (self.0.vt().$method)(self.0.data(), $( $crate::wire::Wire::into_abi($arg) ),*) };
            <$ret as $crate::wire::Wire>::from_abi(answer)
        }
    };
    (later [$(#[$meta:meta])*] $method:ident, ( $( $arg:ident : $ty:ty ),* ), $ret:ty) => {
        $(#[$meta])*
        pub fn $method(&self, $( $arg: $ty ),*) -> impl ::std::future::Future<Output = $ret> + Send + 'static {
            // SAFETY: the object belongs to this table; the future holds a reference of its own.
            let answer = unsafe { (self.0.vt().$method)(self.0.data(), $( $crate::wire::Wire::into_abi($arg) ),*) };
            async move {
                match answer.await {
                    Ok(answer) => <$ret as $crate::wire::Wire>::from_abi(answer),
                    Err(failure) => <$ret as $crate::failure::FromFailure>::from_failure(failure),
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::{handle::Interface, CallFailure};
    use std::{future::Future, pin::pin, task::Context};

    crate::interface! {
        /// A test interface.
        pub interface Echo, provider EchoProvider, table EchoVt = "test.echo/1" {
            /// Gives the text back; panics on "panic".
            now fn say(text: String) -> Result<String, CallFailure>;
            /// The same, later.
            later fn say_later(text: String, times: u32) -> Result<Vec<String>, CallFailure>;
        }
    }

    struct Mine;
    impl EchoProvider for Mine {
        fn say(&self, text: String) -> Result<String, CallFailure> {
            assert_ne!(text, "panic");
            Ok(text)
        }
        async fn say_later(&self, text: String, times: u32) -> Result<Vec<String>, CallFailure> {
            assert_ne!(text, "panic");
            Ok(vec![text; times as usize])
        }
    }

    fn ready<F: Future>(future: F) -> F::Output {
        match pin!(future).poll(&mut Context::from_waker(std::task::Waker::noop())) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("pending"),
        }
    }

    #[test]
    fn calls_answer_and_panics_are_failures() {
        let echo = Echo::new(Mine);
        assert_eq!(echo.say("a".into()), Ok("a".into()));
        assert_eq!(echo.say("panic".into()), Err(CallFailure::Panicked));
        assert_eq!(ready(echo.say_later("b".into(), 2)), Ok(vec!["b".into(), "b".into()]));
        assert_eq!(ready(echo.say_later("panic".into(), 1)), Err(CallFailure::Panicked));
        assert_eq!(echo.say("still here".into()), Ok("still here".into()));
    }

    #[test]
    fn an_erased_handle_comes_back_only_as_what_it_is() {
        let any = Echo::new(Mine).erase();
        assert!(any.clone().checked::<crate::Slot>().is_err());
        assert_eq!(any.checked::<Echo>().unwrap().say("x".into()), Ok("x".into()));
    }
}
