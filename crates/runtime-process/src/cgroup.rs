//! A control group (v2) around a tree of processes, where the system lets us make one. It kills the tree
//! at once, with those that forked away or left their session; without it we walk the tree.

use std::{fs, io, path::PathBuf};

/// The group of the tree under one shim.
pub(crate) struct Cgroup {
    path: PathBuf,
    parent: PathBuf,
}

impl Cgroup {
    /// Where the group of this shim would be; `None` where no v2 hierarchy is mounted.
    pub(crate) fn of_shim(pid: u32) -> Option<Self> {
        let parent = own_group()?;
        Some(Self { path: parent.join(format!("consort-{pid}")), parent })
    }

    /// Makes the group and enters it, so that what is spawned next is born inside.
    pub(crate) fn enter(&self) -> io::Result<()> {
        fs::create_dir(&self.path)?;
        let entered = fs::write(self.path.join("cgroup.procs"), "0");
        if entered.is_err() || !self.path.join("cgroup.kill").exists() {
            let _ = self.leave();
            let _ = fs::remove_dir(&self.path);
            return entered.and(Err(io::ErrorKind::Unsupported.into()));
        }
        Ok(())
    }

    /// Goes back out, so that killing the group spares the caller.
    pub(crate) fn leave(&self) -> io::Result<()> {
        fs::write(self.parent.join("cgroup.procs"), "0")
    }

    /// Kills everything in the group.
    pub(crate) fn kill(&self) {
        let _ = fs::write(self.path.join("cgroup.kill"), "1");
    }

    /// Removes the group, and tells whether it is gone. It stays while a process is in it.
    pub(crate) fn remove(&self) -> bool {
        fs::remove_dir(&self.path).is_ok() || !self.path.exists()
    }
}

/// The folder of the group that this process is in.
fn own_group() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mount = mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut fields = left.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        right.starts_with("cgroup2 ").then_some((root, point))
    });
    let (root, point) = mount?;
    // In a container the mount shows only a part of the hierarchy.
    let inside = path.strip_prefix(root.trim_end_matches('/')).unwrap_or(path);
    Some(PathBuf::from(point).join(inside.trim_start_matches('/')))
}
