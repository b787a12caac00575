//! L1, `kernel/1`: what every plugin library has, whatever it provides.
//!
//! The root module is found under abi_stable's loader name. `describe` says what the library needs and gives, with layouts;
//! `prepare` is pure: it reads its section and answers with diagnostics, touching nothing; `start` makes an instance.

use crate::{contained::guard, handle::AnyHandle, wire::Wire, wire_as_is, wire_enum, wire_struct, CallFailure, Slot};
use abi_stable::{
    library::RootModule,
    package_version_strings,
    prefix_type::PrefixTypeTrait,
    sabi_types::VersionStrings,
    std_types::{ROption, RResult, RString, RVec},
    type_layout::TypeLayout,
    StableAbi,
};

/// The root module of a plugin library.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = KernelRef)))]
#[sabi(missing_field(panic))]
pub struct Kernel {
    /// What the library is, gives and needs.
    pub describe: extern "C" fn() -> Description,
    /// What the library offers without an instance, such as the description of its operations.
    pub query: extern "C" fn(RString) -> ROption<AnyHandle>,
    /// What the library has of the heap; nothing if it does not count.
    pub heap: extern "C" fn() -> ROption<HeapUse>,
    /// Reads and checks a config section. Pure: touches nothing, may be called any number of times.
    #[sabi(last_prefix_field)]
    pub prepare: extern "C" fn(PrepareInputAbi) -> PrepareOutput,
}

impl Kernel {
    /// Makes the root module, once a library.
    #[doc(hidden)]
    pub fn export(
        describe: extern "C" fn() -> Description,
        query: extern "C" fn(RString) -> ROption<AnyHandle>,
        heap: extern "C" fn() -> ROption<HeapUse>,
        prepare: extern "C" fn(PrepareInputAbi) -> PrepareOutput,
    ) -> KernelRef {
        Kernel { describe, query, heap, prepare }.leak_into_prefix()
    }
}

impl RootModule for KernelRef {
    abi_stable::declare_root_module_statics! {KernelRef}
    const BASE_NAME: &'static str = "dovetail_plugin";
    const NAME: &'static str = "dovetail plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// What a library has of the heap: its Rust code, all instances together.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapUse {
    /// Octets that it has now.
    pub octets: u64,
    /// How often it took memory so far.
    pub allocations: u64,
}

/// What a library says of itself once it is loaded.
#[repr(C)]
#[derive(StableAbi)]
pub struct Description {
    /// The plugin's id; the same as in its manifest.
    pub id: RString,
    /// The interfaces it provides.
    pub provides: RVec<InterfaceUse>,
    /// The interfaces it needs, the host's among them.
    pub requires: RVec<InterfaceUse>,
    /// The interfaces that a section may ask for; see [`Need`].
    pub uses: RVec<InterfaceUse>,
}

/// An interface by id and by the layout that this library knows.
#[repr(C)]
#[derive(StableAbi, Clone)]
pub struct InterfaceUse {
    /// Id and revision.
    pub id: RString,
    /// The layout of its table.
    pub layout: &'static TypeLayout,
}
wire_as_is!(Description, InterfaceUse);

wire_struct! {
    /// The text of one config section, and where it stands in its file.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Section => SectionAbi {
        /// The config file, for messages.
        pub file: String,
        /// The line of the section's first character, from 1.
        pub line: u32,
        /// Its column, from 1.
        pub column: u32,
        /// The section itself, RON.
        pub text: String,
    }
}

wire_enum! {
    /// What an instance is started for.
    pub enum Purpose: unknown Operate {
        /// A server.
        Serve = 1,
        /// An operation without a server: what only a server's first start makes (an account, a certificate) is not made.
        Operate = 2,
        /// An operation that names a folder of its own: there is neither server nor config, and starting touches nothing.
        Standalone = 3,
    }
}

wire_struct! {
    /// What `prepare` works on.
    #[derive(Debug, Clone)]
    pub struct PrepareInput => PrepareInputAbi {
        /// The name of the instance in the config.
        pub instance: String,
        /// Its section.
        pub section: Section,
        /// The server's host name.
        pub hostname: String,
        /// The directory that instances keep their data in. Not to be touched before `start`.
        pub data_dir: String,
        /// The directory that relative paths in the config start from.
        pub config_dir: String,
        /// What the instance will be used for.
        pub purpose: Purpose,
        /// Which build of the library this is: 16 hexadecimal digits, others for each build.
        pub build: String,
    }
}

wire_enum! {
    /// How bad a diagnostic is.
    pub enum Severity: unknown Error {
        /// The config cannot be used.
        Error = 1,
        /// The config can be used, and the operator should know.
        Warning = 2,
    }
}

wire_struct! {
    /// Something to say about a config, with its position.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Diagnostic => DiagnosticAbi {
        /// How bad it is.
        pub severity: Severity,
        /// The file, or empty if it is about none.
        pub file: String,
        /// The line from 1, or 0 if there is none.
        pub line: u32,
        /// The column from 1, or 0 if there is none.
        pub column: u32,
        /// What is wrong.
        pub message: String,
        /// What to do.
        pub help: String,
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
            if self.line > 0 {
                write!(f, "{}:{}:", self.line, self.column)?;
            }
            f.write_str(" ")?;
        }
        f.write_str(match self.severity {
            Severity::Error => "error: ",
            Severity::Warning => "warning: ",
        })?;
        f.write_str(&self.message)?;
        if !self.help.is_empty() {
            write!(f, " ({})", self.help)?;
        }
        Ok(())
    }
}

wire_struct! {
    /// A service that a section asks for, beside those that the library requires in any case.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Need => NeedAbi {
        /// Id and revision of the interface.
        pub id: String,
        /// The instance that shall provide it; without it whoever does, as for a library's own requirements.
        pub provider: Option<String>,
    }
}

wire_struct! {
    /// A required interface and the place where its provider stands.
    #[derive(Debug, Clone)]
    pub struct Bound => BoundAbi {
        /// Id and revision.
        pub id: String,
        /// The instance that provides it; empty for the host.
        pub provider: String,
        /// The place.
        pub slot: Slot,
    }
}

wire_struct! {
    /// What `start` works with.
    #[derive(Debug, Clone)]
    pub struct StartInput => StartInputAbi {
        /// All that the library required, the host's services included.
        pub services: Vec<Bound>,
    }
}

wire_struct! {
    /// Why an instance did not start, for the operator.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct StartFailure => StartFailureAbi {
        /// What happened, to what, and what to do.
        pub message: String,
    }
}

impl StartFailure {
    /// Says why. The message names what happened, to what, and what to do.
    pub fn new(message: impl std::fmt::Display) -> Self {
        StartFailure { message: message.to_string() }
    }
}

impl From<CallFailure> for StartFailure {
    fn from(failure: CallFailure) -> Self {
        StartFailure { message: failure.to_string() }
    }
}

wire_struct! {
    /// Why an instance could not read its data anew, for the operator. It goes on with what it has.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ReloadFailure => ReloadFailureAbi {
        /// What happened, to what, and what to do.
        pub message: String,
    }
}

impl ReloadFailure {
    /// Says why. The message names what happened, to what, and what to do.
    pub fn new(message: impl std::fmt::Display) -> Self {
        ReloadFailure { message: message.to_string() }
    }
}

impl From<CallFailure> for ReloadFailure {
    fn from(failure: CallFailure) -> Self {
        ReloadFailure { message: failure.to_string() }
    }
}

crate::interface! {
    /// A section that was read and found good.
    pub interface Prepared, provider PreparedProvider, table PreparedVt = "dovetail.kernel.prepared/1" {
        /// Warnings about the section.
        now fn warnings() -> Result<Vec<Diagnostic>, CallFailure>;
        /// What the section asks for beside what the library requires. Each of these interfaces is among the library's
        /// `uses`.
        now fn needs() -> Result<Vec<Need>, CallFailure>;
        /// Starts the instance: now files, threads and services may be touched.
        later fn start(input: StartInput) -> Result<Instance, StartFailure>;
    }
}

crate::interface! {
    /// A running instance.
    pub interface Instance, provider InstanceProvider, table InstanceVt = "dovetail.kernel.instance/1" {
        /// The provider of an interface, if this instance provides it.
        now fn query(interface: String) -> Result<Option<AnyHandle>, CallFailure>;
        /// Reads anew what the instance keeps outside of its section (accounts, certificates, its log level), at a reload of
        /// the server that leaves the instance as it is.
        later fn reload() -> Result<(), ReloadFailure>;
        /// How many handles to the instance's services are held, by callers and by calls that run. An instance that was
        /// replaced is stopped when nobody holds it any more.
        now fn holders() -> Result<u64, CallFailure>;
        /// Finishes what must be finished. Called after the last session that uses the instance has ended.
        later fn stop() -> Result<(), CallFailure>;
    }
}

/// The symbol of a plugin library's `LibHeader`.
pub const SYMBOL: &str = "dovetail_kernel";

/// What `prepare` answers across the boundary.
pub type PrepareOutput = RResult<<Prepared as Wire>::Abi, RVec<DiagnosticAbi>>;

impl Description {
    /// What a library that panicked in `describe` amounts to.
    #[doc(hidden)]
    pub fn empty() -> Self {
        Description { id: RString::new(), provides: RVec::new(), requires: RVec::new(), uses: RVec::new() }
    }
}

/// Runs a `prepare` function without letting a panic out.
#[doc(hidden)]
pub fn prepare_contained(
    input: PrepareInputAbi,
    prepare: impl FnOnce(PrepareInput) -> Result<Prepared, Vec<Diagnostic>>,
) -> PrepareOutput {
    guard(|| prepare(PrepareInput::from_abi(input)).into_abi()).unwrap_or_else(|| {
        let diagnostic = Diagnostic {
            severity: Severity::Error,
            file: String::new(),
            line: 0,
            column: 0,
            message: "the plugin panicked while reading its section".into(),
            help: "report this to the plugin's author".into(),
        };
        Err::<Prepared, _>(vec![diagnostic]).into_abi()
    })
}

/// Emits a library's entry point; used by the SDK's `export_plugin!`.
///
/// A panic in `describe` gives an empty description, in `query` no answer, in `prepare` an error.
#[macro_export]
#[doc(hidden)]
macro_rules! export_kernel {
    (describe: $describe:expr, query: $query:expr, prepare: $prepare:expr $(,)?) => {
        extern "C" fn kernel_describe() -> $crate::kernel_v1::Description {
            $crate::contained::guard($describe).unwrap_or_else($crate::kernel_v1::Description::empty)
        }

        extern "C" fn kernel_query(
            interface: $crate::reexport::abi_stable::std_types::RString,
        ) -> $crate::reexport::abi_stable::std_types::ROption<$crate::AnyHandle> {
            $crate::contained::guard(|| ($query)(interface.as_str())).flatten().into()
        }

        extern "C" fn kernel_heap() -> $crate::reexport::abi_stable::std_types::ROption<$crate::kernel_v1::HeapUse> {
            $crate::heap::so_far().into()
        }

        extern "C" fn kernel_prepare(input: $crate::kernel_v1::PrepareInputAbi) -> $crate::kernel_v1::PrepareOutput {
            $crate::kernel_v1::prepare_contained(input, $prepare)
        }

        extern "C" fn kernel_root() -> $crate::reexport::abi_stable::library::RootModuleResult {
            // What abi_stable's own export attribute expands to; it turns a panic into an error.
            $crate::reexport::abi_stable::library::__call_root_module_loader(|| {
                $crate::kernel_v1::Kernel::export(kernel_describe, kernel_query, kernel_heap, kernel_prepare)
            })
        }

        /// What the host's loader looks for.
        #[no_mangle]
        #[allow(non_upper_case_globals)]
        pub static dovetail_kernel: $crate::reexport::abi_stable::library::LibHeader =
            // SAFETY: `kernel_root` returns the `KernelRef` that is declared here.
            unsafe {
                $crate::reexport::abi_stable::library::LibHeader::from_constructor::<$crate::kernel_v1::KernelRef>(
                    kernel_root,
                    $crate::reexport::abi_stable::library::CheckTypeLayout::Yes,
                )
            };
    };
}
