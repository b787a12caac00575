//! `dovetail.host.listeners/1`: what the server listens on, for plugins that judge whether they serve it well.
//!
//! During a reload these are the listeners from before it, for new instances that it starts as well, until everything is
//! switched at once.

use crate::{wire_enum, wire_struct, CallFailure};

wire_enum! {
    /// How a listener does TLS.
    pub enum ListenerTls: unknown Off {
        /// Not at all.
        Off = 1,
        /// By the protocol's own command.
        Explicit = 2,
        /// From the first octet on.
        Implicit = 3,
    }
}

wire_struct! {
    /// A listener of the configuration.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ListenerInfo => ListenerInfoAbi {
        /// Its name.
        pub name: String,
        /// The instance that serves it.
        pub protocol: String,
        /// How it does TLS.
        pub tls: ListenerTls,
        /// The certificate that it names.
        pub certificate: Option<String>,
    }
}

crate::interface! {
    /// The listeners of the configuration that is in force. Without a server: of the configuration that was read.
    pub interface HostListeners, provider HostListenersProvider, table HostListenersVt = "dovetail.host.listeners/1" {
        /// All of them, in the order of the configuration. None where there is no configuration.
        now fn listeners() -> Result<Vec<ListenerInfo>, CallFailure>;
    }
}
