#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    dovetail_fuzz_targets::certs_der(input);
});
