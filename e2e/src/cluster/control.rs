//! What only the cluster of `e2e/cluster` on this machine allows: stopping its API server, reading its audit log, and
//! seeing its containers as the processes they are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::run;

/// The scripts and the state of the local cluster.
#[derive(Clone, Debug)]
pub struct Control {
    state: PathBuf,
}

/// A container's process on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostProcess {
    /// Its id on the host.
    pub id: u32,
    /// Its name as the kernel has it: at most 15 bytes.
    pub name: String,
}

impl Control {
    pub(super) fn of(kubeconfig: &Path, state: &Path) -> Option<Self> {
        let own = state.join("kubeconfig");
        let same = own.canonicalize().ok()? == kubeconfig.canonicalize().ok()?;
        same.then(|| Self { state: state.to_owned() })
    }

    /// `start` or `stop`; returns when the API server is ready, or gone.
    ///
    /// # Errors
    /// When the script fails.
    pub async fn apiserver(&self, order: &str) -> Result<()> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster/apiserver");
        let script = script.to_str().context("the checkout's path is no text")?;
        run(script, &[order], "", &[("FAIRLEAD_CLUSTER_DIR", self.state.clone())]).await?;
        Ok(())
    }

    /// One JSON object per line.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.state.join("audit.log")
    }

    /// The processes of the pod with that uid, but for the one that only holds its namespaces.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn processes(pod_uid: &str) -> Result<Vec<HostProcess>> {
        let underscored = pod_uid.replace('-', "_"); // As systemd names its slices.
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            // Processes come and go while we look.
            let Ok(cgroup) = std::fs::read_to_string(entry.path().join("cgroup")) else { continue };
            let Ok(name) = std::fs::read_to_string(entry.path().join("comm")) else { continue };
            let is_of_pod = cgroup.contains(pod_uid) || cgroup.contains(&underscored);
            if is_of_pod && name.trim() != "pause" {
                found.push(HostProcess { id, name: name.trim().to_owned() });
            }
        }
        Ok(found)
    }
}

impl HostProcess {
    /// Ends it at once, as a crash would.
    ///
    /// # Errors
    /// When `kill` fails.
    pub async fn kill(&self) -> Result<()> {
        run("kill", &["-KILL", &self.id.to_string()], "", &[]).await?;
        Ok(())
    }

    /// Resident memory in bytes, as the kernel counts it: private pages and those mapped from files.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes << 10)
    }
}
