//! A plugin's manifest: the descriptor of an ELF note.

use dovetail_abi::manifest::{Manifest, MAGIC, MAX_MANIFEST};

/// What is read is bounded, and reads back the same from what is written of it.
pub fn manifest(descriptor: &[u8]) -> bool {
    let Ok(manifest) = Manifest::parse(descriptor) else {
        return false;
    };
    assert!(descriptor.len() <= MAX_MANIFEST + 4);
    let text = text(&manifest);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?} plays tricks on a terminal");
    assert_eq!(Manifest::parse(&note(manifest.kernel, &text)), Ok(manifest));
    true
}

fn text(manifest: &Manifest) -> String {
    let Manifest {
        id,
        version,
        summary,
        sdk,
        rustc,
        target,
        panic,
        provides,
        requires,
        uses,
        command,
        exclusive,
        kernel: _,
    } = manifest;
    let (provides, requires, uses) = (provides.join(" "), requires.join(" "), uses.join(" "));
    let command = command.as_deref().unwrap_or_default();
    format!(
        "id={id}\nversion={version}\nsummary={summary}\nsdk={sdk}\nrustc={rustc}\ntarget={target}\npanic={panic}\n\
         provides={provides}\nrequires={requires}\nuses={uses}\ncommand={command}\nexclusive={exclusive}\n"
    )
}

fn note(kernel: u32, text: &str) -> Vec<u8> {
    let content = [MAGIC, &kernel.to_le_bytes()[..], text.as_bytes()].concat();
    let length = u32::try_from(content.len()).expect("a manifest is small");
    [&length.to_le_bytes()[..], &content].concat()
}
