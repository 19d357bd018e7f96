//! A server's process: signalled, and never left behind.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::until::until;

/// What ends the server, and removes its files, when this process is gone and nobody's `drop` has run: its
/// input ends when we do. A stopped server needs it most, for it would stay for ever. The signals are those
/// of a terminal, which go to everybody in it.
const LEASH: &str = "trap '' HUP INT TERM; read -r _; kill -9 \"$1\"; rm -rf \"$2\"";

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    leash: Child,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command, folder: &Path) -> io::Result<Process> {
        let child = command.spawn()?;
        let mut leash = Command::new("sh");
        leash.args(["-c", LEASH, "leash", &child.id().to_string()]).arg(folder);
        leash.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Process { leash: leash.spawn()?, child })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // Not reaped before `drop` or `ended` says so: the number is still this process's.
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Returns once it stands still: a signal is sent at once and acts a moment later.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
        until("a process to stop", || self.state() == 'T');
    }

    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Returns once it has ended by itself.
    pub(crate) fn wait(&mut self) {
        until("a process to end", || self.ended().is_some());
    }

    /// The letter that the system gives for what it does.
    fn state(&self) -> char {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        // The name before it is in brackets, and may hold any character.
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The leash first: it must not outlive the number that it would kill.
        for child in [&mut self.leash, &mut self.child] {
            // Both fail only where there is nothing left to end.
            drop(child.kill());
            drop(child.wait());
        }
    }
}
