//! The two kinds of methods, as types that the interface macro can name.

use crate::{future::AbiFuture, wire::Wire};
use abi_stable::StableAbi;

/// How a method of this kind answers across the boundary.
pub trait Kind<R: Wire> {
    /// What its function in the table returns.
    type Abi: StableAbi;
}

/// Answers at once.
#[allow(non_camel_case_types)]
pub struct now;
/// Answers with a future.
#[allow(non_camel_case_types)]
pub struct later;

impl<R: Wire> Kind<R> for now {
    type Abi = R::Abi;
}
impl<R: Wire> Kind<R> for later {
    type Abi = AbiFuture<R::Abi>;
}
