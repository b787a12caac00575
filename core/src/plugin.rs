//! Plugins: found, probed without running them, loaded, prepared, wired, started and stopped.
//!
//! Found ([`finder`]) -> Probed ([`probe`], [`trust`]) -> Loaded ([`load`]) -> Prepared and wired ([`wiring`]) -> Started
//! ([`instance`], [`member`]) -> Stopped. What the host offers to an instance is in [`host`]; services are handed out through
//! [`slot`]s, so that a provider can be replaced under its users; [`places`] keeps them over reloads.

pub mod closure;
pub mod finder;
pub mod host;
pub mod instance;
pub mod load;
pub mod member;
pub mod places;
pub mod probe;
pub mod slot;
pub mod trust;
pub mod wiring;
