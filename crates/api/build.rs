//! Tells the crate whether the page of the browser was built (`cfg(ui_built)`). Without it, `cargo build`
//! works without Node and embeds a small page that says how to build the real one.

use std::path::Path;

fn main() {
    let ui = Path::new("../../ui");
    let dist = ui.join("dist");
    println!("cargo::rustc-check-cfg=cfg(ui_built)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=placeholder");
    if dist.join("index.html").is_file() {
        println!("cargo::rustc-cfg=ui_built");
        println!("cargo::rerun-if-changed={}", dist.display());
    } else if ui.is_dir() {
        // A path that is missing would run this again at every build; the folder around it shows when it comes.
        println!("cargo::rerun-if-changed={}", ui.display());
    }
}
