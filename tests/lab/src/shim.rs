//! Libraries that stand between a process and its system, compiled in the folder where it lives.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One such library, and the file by which it and the test know each other.
#[derive(Debug)]
pub(crate) struct Shim {
    library: PathBuf,
    variable: &'static str,
    pub(crate) file: PathBuf,
}

impl Shim {
    /// Compiles this text; the library finds `file` by the environment's `variable`.
    pub(crate) fn compile(
        (name, text): (&str, &str),
        (variable, content): (&'static str, &[u8]),
        folder: &Path,
    ) -> Shim {
        let [source, library, file] =
            ["c", "so", "file"].map(|ending| folder.join(name).with_extension(ending));
        std::fs::write(&source, text).unwrap();
        std::fs::write(&file, content).unwrap();
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&library, &source])
            .output()
            .expect("a C compiler, by the name of cc");
        assert!(made.status.success(), "{name}.c: {}", String::from_utf8_lossy(&made.stderr));
        Shim { library, variable, file }
    }

    /// Stands before this command from now on, beside those that already do.
    pub(crate) fn stand_before(&self, command: &mut Command) {
        const LIST: &str = "LD_PRELOAD";
        let others = command.get_envs().find(|(name, _)| *name == LIST).and_then(|(_, v)| v);
        let mut list = others.map_or_else(OsString::new, |others| {
            let mut others = others.to_owned();
            others.push(":");
            others
        });
        list.push(&self.library);
        command.env(LIST, list).env(self.variable, &self.file);
    }
}
