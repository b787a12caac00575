//! `dovetail.host.fault/1`: panics are told to the host with text and place.

use crate::{wire_struct, CallFailure};

wire_struct! {
    /// A panic, as its library's hook saw it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PanicReport => PanicReportAbi {
        /// The panic's text.
        pub message: String,
        /// `file:line:column` in the plugin's source.
        pub place: String,
        /// The session it happened in.
        pub session: Option<String>,
    }
}

crate::interface! {
    /// Where an instance's faults are counted.
    pub interface HostFault, provider HostFaultProvider, table HostFaultVt = "dovetail.host.fault/1" {
        /// Reports a panic that was contained.
        now fn panicked(report: PanicReport) -> Result<(), CallFailure>;
    }
}
