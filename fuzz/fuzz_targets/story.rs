#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pymode_dylink_fuzz::story::on_fake(data));
