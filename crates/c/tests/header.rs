//! The header in the tree is the one that cbindgen makes of the code. LINJIN_HEADER=write writes it anew.

use std::path::Path;

#[test]
fn the_header_is_that_of_the_code() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(home.join("cbindgen.toml")).expect("cbindgen.toml can be read");
    let made = cbindgen::generate_with_config(home, config).expect("the code can be read");
    let file = home.join("include/linjin.h");
    let mut bytes = Vec::new();
    made.write(&mut bytes);
    if std::env::var_os("LINJIN_HEADER").is_some_and(|value| value == "write") {
        std::fs::write(&file, &bytes).expect("the header can be written");
    }
    let kept = std::fs::read_to_string(&file).expect("include/linjin.h is there").replace("\r\n", "\n");
    assert!(
        kept == String::from_utf8_lossy(&bytes),
        "include/linjin.h is not that of the code: LINJIN_HEADER=write cargo test -p linjin-c --test header"
    );
}
