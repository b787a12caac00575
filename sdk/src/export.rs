//! The macro that makes a plugin of a type.

/// Exports a [`Plugin`](crate::Plugin) type from a `cdylib` crate.
///
/// `provides` lists interfaces whose provider traits the type implements, `requires` those that it asks for by
/// [`Context::service`](crate::Context::service), `uses` those that only some sections ask for, by
/// [`Plugin::needs`](crate::Plugin::needs). `command` is the word under which its operations appear on the command
/// line; leave it out if there are none. `exclusive: true` says that an instance owns files which two must not use at once: it
/// is restarted in its place then, by a reload that changes its section, and a reload refuses another library of it.
///
/// The library's global allocator becomes one that counts, so that the server can show what the library has of the heap.
/// `allocator: none`, before `provides`, leaves the allocator to the crate; then nothing is shown.
#[macro_export]
macro_rules! export_plugin {
    (
        plugin: $Plugin:ty,
        id: $id:literal,
        summary: $summary:literal,
        $(command: $command:literal,)?
        $(exclusive: $exclusive:literal,)?
        $(allocator: $allocator:ident,)?
        provides: [ $($provides:ty),* $(,)? ],
        requires: [ $($requires:ty),* $(,)? ] $(,)?
        $(uses: [ $($uses:ty),* $(,)? ] $(,)?)?
    ) => {
        $crate::__count_heap! { $($allocator)? }

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
                "\nuses=" $($(, <$uses as $crate::abi::handle::Described>::INTERFACE, " ")*)?,
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
                    vec![$($($crate::glue::interface_use::<$uses>()),*)?],
                ),
                query: $crate::glue::library_query::<$Plugin>,
                prepare: |input| $crate::glue::prepare::<$Plugin>(input, query),
            }
        };
    };
}

/// Makes the counting allocator the library's, unless there shall be none.
#[doc(hidden)]
#[macro_export]
macro_rules! __count_heap {
    (none) => {};
    () => {
        const _: () = {
            #[global_allocator]
            static ALLOCATOR: $crate::abi::heap::Counting = $crate::abi::heap::Counting;
        };
    };
}
