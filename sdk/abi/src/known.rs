//! All interfaces of this release, by id.

use crate::{
    certs_admin_v1, certs_v1, console_v1, delivery_v1, directory_v1, fault_v1, files_v1, forms_v1,
    handle::{layout_of, Interface, Slot},
    kernel_v1, kv_v1, listeners_v1, log_v1, metrics_v1, net_v1, operations_v1, policy_v1, protocol_v1, spool_v1,
    store_v1, stream, task_v1, tickets_v1, time_v1, tls_v1,
};
use abi_stable::{type_layout::TypeLayout, StableAbi};

/// An interface: its id with the revision, and the layout of its table.
pub type Known = (&'static str, &'static TypeLayout);

fn of<I: Interface>() -> Known {
    (I::ID, layout_of::<I>())
}

/// The root module, which is no interface but holds all the others.
pub const KERNEL: &str = "kernel/1";
/// Byte streams, which have a table of their own making.
pub const STREAM: &str = "dovetail.stream/1";

/// All of them, the root module included.
pub fn all() -> Vec<Known> {
    vec![
        (KERNEL, <kernel_v1::KernelRef as StableAbi>::LAYOUT),
        of::<kernel_v1::Prepared>(),
        of::<kernel_v1::Instance>(),
        (STREAM, <stream::Stream as StableAbi>::LAYOUT),
        of::<Slot>(),
        of::<console_v1::HostConsole>(),
        of::<fault_v1::HostFault>(),
        of::<listeners_v1::HostListeners>(),
        of::<log_v1::HostLog>(),
        of::<metrics_v1::HostMetrics>(),
        of::<metrics_v1::Series>(),
        of::<net_v1::HostNet>(),
        of::<task_v1::HostTask>(),
        of::<task_v1::Task>(),
        of::<task_v1::Job>(),
        of::<task_v1::Thread>(),
        of::<tickets_v1::HostTickets>(),
        of::<time_v1::HostTime>(),
        of::<certs_v1::Certs>(),
        of::<certs_admin_v1::CertsAdmin>(),
        of::<certs_admin_v1::CertsJudge>(),
        of::<delivery_v1::Delivery>(),
        of::<directory_v1::Directory>(),
        of::<kv_v1::Kv>(),
        of::<policy_v1::Policy>(),
        of::<spool_v1::Spool>(),
        of::<spool_v1::SpoolWriter>(),
        of::<spool_v1::Spooled>(),
        of::<operations_v1::Operations>(),
        of::<operations_v1::OperationList>(),
        of::<files_v1::OperationFiles>(),
        of::<forms_v1::OperationForm>(),
        of::<operations_v1::Progress>(),
        of::<protocol_v1::Protocol>(),
        of::<protocol_v1::SessionControl>(),
        of::<store_v1::Store>(),
        of::<store_v1::Mailbox>(),
        of::<store_v1::Body>(),
        of::<store_v1::BodyReader>(),
        of::<store_v1::BodySink>(),
        of::<tls_v1::Tls>(),
        of::<tls_v1::TlsAcceptor>(),
        of::<tls_v1::TlsConnector>(),
    ]
}

/// The layout of an interface of this release.
pub fn layout(id: &str) -> Option<&'static TypeLayout> {
    all().into_iter().find(|(known, _)| *known == id).map(|(_, layout)| layout)
}
