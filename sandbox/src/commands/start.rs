//! `start`: starts the cluster, or the parts of it that are not running.

use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use crate::api::Api;
use crate::cache::Cache;
use crate::components::{self, containerd};
use crate::error::SandboxError;
use crate::folder_lock::FolderLock;
use crate::instance::{Instance, InstanceName};
use crate::interrupt::Interrupt;
use crate::supervisor::Supervisor;
use crate::toolchain::GoModule;
use crate::tools::Tools;
use crate::{
    certificates, cgroup, cluster, doctor, image, kubeconfig, packages, terminal, toolchain,
};

/// Starts what is not working and prints the path of the kubeconfig.
///
/// # Errors
/// When the machine lacks something, something cannot be built, or a component does not come up.
pub(crate) fn run(name: &InstanceName, interrupt: &Interrupt) -> Result<(), SandboxError> {
    let begun = Instant::now();
    let missing: Vec<String> = doctor::examine()
        .into_iter()
        .filter_map(|check| Some(format!("{}: {}", check.what, check.problem?.found)))
        .collect();
    if !missing.is_empty() {
        return Err(SandboxError::MachineLacks(missing.join("; ")));
    }
    let tools = make_tools(interrupt)?;

    let folder = Instance::folder_of(name);
    let _lock = FolderLock::acquire(&folder, || {
        terminal::progress("waiting for another start or stop of this sandbox");
    })?;
    let instance = Instance::open_or_create(name, tools)?;
    bring_up(&instance, interrupt)?;

    terminal::progress(format_args!(
        "sandbox `{}` is ready ({:.1} s)",
        instance.name,
        begun.elapsed().as_secs_f32()
    ));
    terminal::data(instance.kubeconfig().display());
    Ok(())
}

/// Builds, fetches or finds in the cache all programs and images.
fn make_tools(interrupt: &Interrupt) -> Result<Tools, SandboxError> {
    let cache = Cache::of_user()?;
    // The builds of Go run beside each other: while one downloads or links, the other compiles.
    thread::scope(|scope| {
        let build = |module: &'static GoModule| {
            // A failure ends the other build too.
            let built = module.ensure(&cache, interrupt);
            built.inspect_err(|_| interrupt.raise())
        };
        let etcd = scope.spawn(move || build(&toolchain::ETCD));
        let kubernetes = scope.spawn(move || build(&toolchain::KUBERNETES));
        let packages = packages::ensure(&cache).inspect_err(|_| interrupt.raise())?;
        let images = image::ensure(&cache, &packages).inspect_err(|_| interrupt.raise())?;
        match (joined(etcd), joined(kubernetes)) {
            (Ok(etcd), Ok(kubernetes)) => Ok(Tools {
                kubernetes,
                etcd,
                packages,
                images,
            }),
            (Err(cause), _) | (_, Err(cause)) if !cause.is_interruption() => Err(cause.into()),
            (Err(interrupted), _) | (_, Err(interrupted)) => Err(interrupted.into()),
        }
    })
}

/// The result of a thread; its panic goes on here.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn bring_up(instance: &Instance, interrupt: &Interrupt) -> Result<(), SandboxError> {
    certificates::ensure(instance)?;
    kubeconfig::write_administrator(instance)?;
    cgroup::create(&instance.cgroup())?;
    instance
        .settings
        .network
        .create(&instance.tools().busybox())?;

    let api = Api::new(instance)?;
    let supervisor = Supervisor::new(instance, &api, interrupt);
    let [foundation, api_server, rest] = components::stages(instance);
    supervisor.ensure_ready(&foundation)?;

    // Images are unpacked while the API server starts, which takes longest.
    let images = image::in_folder(&instance.tools().images);
    thread::scope(|scope| {
        let import = scope.spawn(|| containerd::import_images(instance, &images));
        supervisor.ensure_ready(&api_server)?;
        supervisor.ensure_ready(&rest)?;
        cluster::ensure_storage_class(instance, &api)?;
        cluster::wait_until_usable(instance, &api, interrupt)?;
        joined(import)?;
        Ok(())
    })
}
