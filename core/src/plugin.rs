//! Plugins: found, probed without running them, loaded, prepared, wired, started and stopped.
//!
//! Found ([`finder`]) -> Probed ([`probe`], [`trust`]) -> Loaded ([`load`]) -> Prepared and wired ([`wiring`]) -> Started
//! ([`instance`], [`member`]) -> Stopped. What the host offers to an instance is in [`host`]; services are handed out through
//! [`slot`]s, so that a provider can be replaced under its users; [`places`] keeps them over reloads. What an instance uses is in
//! its [`account`].

pub mod account;
pub mod build;
pub mod closure;
pub mod finder;
pub mod fit;
pub mod generation;
pub mod host;
pub mod instance;
pub mod listeners;
pub mod load;
pub mod member;
pub mod metered;
pub mod places;
pub mod probe;
pub mod slot;
pub mod tickets;
pub mod trust;
pub mod verify;
pub mod wiring;
