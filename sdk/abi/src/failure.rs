//! Why a call across the boundary gave no answer of its own.

use crate::wire::Wire;

/// A call that its provider could not answer at all. Every interface's error type can be made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallFailure {
    /// The provider panicked. The panic was contained and reported to the host with its text and place.
    #[error("the plugin failed while answering (see the log for the panic)")]
    Panicked,
    /// No provider stands behind this service now.
    #[error("the service is not available at the moment")]
    Unavailable,
    /// The provider is being restarted in its place; it is there again in a moment, so new work waits (see
    /// [`Slot`](crate::Slot)).
    #[error("the service is being restarted, try again in a moment")]
    Held,
}

impl Wire for CallFailure {
    type Abi = u32;
    fn into_abi(self) -> u32 {
        match self {
            CallFailure::Panicked => 1,
            CallFailure::Unavailable => 2,
            CallFailure::Held => 3,
        }
    }
    fn from_abi(abi: u32) -> Self {
        match abi {
            1 => CallFailure::Panicked,
            3 => CallFailure::Held,
            _ => CallFailure::Unavailable,
        }
    }
}

/// Makes a method's return value out of a [`CallFailure`]; what every return type of an interface must be able to do.
pub trait FromFailure {
    /// The value that says "this call failed".
    fn from_failure(failure: CallFailure) -> Self;
}

impl<T, E: From<CallFailure>> FromFailure for Result<T, E> {
    fn from_failure(failure: CallFailure) -> Self {
        Err(E::from(failure))
    }
}
