//! Between the ABI's kernel and a [`Plugin`]: what `export_plugin!` expands to calls into here.

use crate::{
    config, fault,
    host::Host,
    log,
    plugin::{About, Context, Plugin, Problems},
    Diagnostic, Severity,
};
use dovetail_abi::{
    contained::Contained,
    files_v1::{Given, OperationFiles, OperationFilesProvider},
    forms_v1::{Form, OperationForm, OperationFormProvider, Remark},
    handle::{Described, Interface},
    kernel_v1::{
        Bound, Description, Instance, InstanceProvider, InterfaceUse, Need, PrepareInput, Prepared, PreparedProvider,
        ReloadFailure, StartFailure, StartInput,
    },
    operations_v1::{Operation, OperationList, OperationListProvider},
    scope, AnyHandle, CallFailure,
};
use std::{
    marker::PhantomData,
    sync::{Arc, Mutex},
};

/// The SDK's version, for the manifest.
pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");
/// The compiler, for the manifest.
pub const RUSTC: &str = env!("DOVETAIL_RUSTC");
/// The target, for the manifest.
pub const TARGET: &str = env!("DOVETAIL_TARGET");
/// The panic strategy, for the manifest.
pub const PANIC: &str = if cfg!(panic = "unwind") { "unwind" } else { "abort" };

/// How an exported plugin answers a query.
pub type Query<P> = fn(&Arc<Contained<P>>, &str) -> Option<AnyHandle>;

/// An interface as a requirement or an offer.
pub fn interface_use<I: Described>() -> InterfaceUse {
    InterfaceUse { id: I::INTERFACE.into(), layout: I::layout() }
}

/// Makes the description; the host's services are added to the requirements.
pub fn describe(
    id: &str,
    provides: Vec<InterfaceUse>,
    mut requires: Vec<InterfaceUse>,
    uses: Vec<InterfaceUse>,
) -> Description {
    install();
    requires.extend(Host::requires());
    Description { id: id.into(), provides: provides.into(), requires: requires.into(), uses: uses.into() }
}

fn install() {
    fault::install();
    log::install();
}

/// Reads and checks a section.
pub fn prepare<P: Plugin>(input: PrepareInput, query: Query<P>) -> Result<Prepared, Vec<Diagnostic>> {
    install();
    let section = input.section.clone();
    let outcome = fault::catch(|| {
        let about = About::new(&input);
        let config: P::Config = config::parse(&input.section).map_err(|error| vec![error])?;
        let mut problems = Problems::new(input.section.clone());
        P::validate(&config, &about, &mut problems);
        if problems.found.iter().any(|found| found.severity == Severity::Error) {
            return Err(problems.found);
        }
        let needs = P::needs(&config).into_iter().map(Need::from).collect();
        let warnings = problems.found;
        Ok(Prepared::new(Ready::<P> { about, config: Mutex::new(Some(config)), warnings, needs, query }))
    });
    outcome.unwrap_or_else(|(message, place)| {
        Err(vec![Diagnostic {
            severity: Severity::Error,
            file: section.file,
            line: section.line,
            column: section.column,
            message: format!("the plugin panicked while reading this section: {message} at {place}"),
            help: "report this to the plugin's author".into(),
        }])
    })
}

struct Ready<P: Plugin> {
    about: About,
    config: Mutex<Option<P::Config>>,
    warnings: Vec<Diagnostic>,
    needs: Vec<Need>,
    query: Query<P>,
}

impl<P: Plugin> PreparedProvider for Ready<P> {
    fn warnings(&self) -> Result<Vec<Diagnostic>, CallFailure> {
        Ok(self.warnings.clone())
    }

    fn needs(&self) -> Result<Vec<Need>, CallFailure> {
        Ok(self.needs.clone())
    }

    async fn start(&self, input: StartInput) -> Result<Instance, StartFailure> {
        let config = self.config.lock().map_err(|_| CallFailure::Panicked)?.take();
        let config = config.ok_or_else(|| StartFailure::new("this section was already started"))?;
        start::<P>(config, self.about.clone(), input.services, self.query).await
    }
}

async fn start<P: Plugin>(
    config: P::Config,
    about: About,
    services: Vec<Bound>,
    query: Query<P>,
) -> Result<Instance, StartFailure> {
    let host = Host::new(&services)?;
    let place = host.scope(None);
    let plugin = scope::scoped(place.clone(), P::start(config, Context { about, services })).await?;
    Ok(scope::run(place, || Instance::new(Running { host, plugin: Arc::new(Contained::new(plugin)), query })))
}

struct Running<P> {
    host: Arc<Host>,
    plugin: Arc<Contained<P>>,
    query: Query<P>,
}

impl<P: Plugin> InstanceProvider for Running<P> {
    fn query(&self, interface: String) -> Result<Option<AnyHandle>, CallFailure> {
        Ok((self.query)(&self.plugin, &interface))
    }

    async fn reload(&self) -> Result<(), ReloadFailure> {
        self.host.read_level()?;
        self.plugin.value().reload().await
    }

    fn holders(&self) -> Result<u64, CallFailure> {
        // One is this instance's own.
        let handles = Arc::strong_count(&self.plugin).saturating_sub(1) as u64;
        Ok(handles + self.plugin.value().under_way())
    }

    async fn stop(&self) -> Result<(), CallFailure> {
        self.plugin.value().stop().await;
        Ok(())
    }
}

/// What a library offers without an instance.
pub fn library_query<P: Plugin>(interface: &str) -> Option<AnyHandle> {
    struct List<P>(PhantomData<fn() -> P>);
    impl<P: Plugin> OperationListProvider for List<P> {
        fn operations(&self) -> Result<Vec<Operation>, CallFailure> {
            Ok(P::operations())
        }
    }
    impl<P: Plugin> OperationFormProvider for List<P> {
        fn suggest(&self, form: Form) -> Result<Option<String>, CallFailure> {
            Ok(P::suggest(&form))
        }
        fn check(&self, form: Form) -> Result<Vec<Remark>, CallFailure> {
            Ok(P::check_answers(&form))
        }
    }
    impl<P: Plugin> OperationFilesProvider for List<P> {
        fn more(&self, given: Given) -> Result<Vec<String>, CallFailure> {
            Ok(P::further_files(&given.operation, &given.values))
        }
    }
    install();
    let list = List::<P>(PhantomData);
    if interface == OperationList::ID {
        Some(OperationList::new(list).erase())
    } else if interface == OperationForm::ID {
        Some(OperationForm::new(list).erase())
    } else if interface == OperationFiles::ID {
        Some(OperationFiles::new(list).erase())
    } else {
        None
    }
}
