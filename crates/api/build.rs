//! Puts the page of the browser where it is embedded from: what `ui` built, or a small page that says how
//! to build it, so that `cargo build` works without Node.

use std::{env, fs, io, path::Path};

const PLACEHOLDER: &str = include_str!("placeholder.html");

fn main() -> io::Result<()> {
    let to = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("ui");
    let ui = Path::new("../../ui");
    let dist = ui.join("dist");
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=placeholder.html");
    if dist.join("index.html").is_file() {
        println!("cargo::rerun-if-changed={}", dist.display());
        return copy(&dist, &to);
    }
    // A path that is missing would run this again at every build; the folder around it shows when it comes.
    if ui.is_dir() {
        println!("cargo::rerun-if-changed={}", ui.display());
    }
    fs::create_dir_all(&to)?;
    fs::write(to.join("index.html"), PLACEHOLDER)
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
