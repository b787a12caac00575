//! The macro that makes a plugin of a type.

/// Exports a [`Plugin`](crate::Plugin) type from a `cdylib` crate.
///
/// `provides` lists interfaces whose provider traits the type implements, `requires` those that it asks for by
/// [`Context::service`](crate::Context::service). `command` is the word under which its operations appear on the command
/// line; leave it out if there are none. `exclusive: true` says that an instance owns files which two must not use at once: a
/// reload then refuses what would run a new generation beside the old, and asks for a restart.
#[macro_export]
macro_rules! export_plugin {
    (
        plugin: $Plugin:ty,
        id: $id:literal,
        summary: $summary:literal,
        $(command: $command:literal,)?
        $(exclusive: $exclusive:literal,)?
        provides: [ $($provides:ty),* $(,)? ],
        requires: [ $($requires:ty),* $(,)? ] $(,)?
    ) => {
        const _: () = {
            const MANIFEST: &[&str] = &[
                "id=", $id,
                "\nversion=", env!("CARGO_PKG_VERSION"),
                "\nsummary=", $summary,
                "\nsdk=", $crate::glue::SDK_VERSION,
                "\nrustc=", $crate::glue::RUSTC,
                "\ntarget=", $crate::glue::TARGET,
                "\npanic=", $crate::glue::PANIC,
                "\nprovides=" $(, <$provides as $crate::abi::handle::Described>::INTERFACE, " ")*,
                "\nrequires=" $(, <$requires as $crate::abi::handle::Described>::INTERFACE, " ")*,
                "\ncommand=" $(, $command)?,
                "\nexclusive=" $(, stringify!($exclusive))?,
                "\n",
            ];
            const LEN: usize = $crate::abi::note::descriptor_len(MANIFEST);

            #[used]
            #[link_section = ".note.dovetail"]
            static NOTE: $crate::abi::note::Note<LEN> = $crate::abi::note::Note::new(MANIFEST);

            fn query(
                plugin: &::std::sync::Arc<$crate::abi::contained::Contained<$Plugin>>,
                interface: &str,
            ) -> ::std::option::Option<$crate::abi::AnyHandle> {
                $(
                    if interface == <$provides as $crate::abi::handle::Described>::INTERFACE {
                        return Some(<$provides as $crate::abi::handle::Offer<$Plugin>>::offer(plugin));
                    }
                )*
                let _ = (plugin, interface);
                None
            }

            $crate::abi::export_kernel! {
                describe: || $crate::glue::describe(
                    $id,
                    vec![$($crate::glue::interface_use::<$provides>()),*],
                    vec![$($crate::glue::interface_use::<$requires>()),*],
                ),
                query: $crate::glue::library_query::<$Plugin>,
                prepare: |input| $crate::glue::prepare::<$Plugin>(input, query),
            }
        };
    };
}
