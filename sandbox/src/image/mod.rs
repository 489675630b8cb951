//! The images of the sandbox, built here because no registry is used.

mod archive;
mod layer;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cache::{Cache, Key};
use crate::command::CommandError;
use crate::files::{self, FileError};
use crate::toolchain;
use crate::tools;
use archive::Configuration;
use layer::Layer;

/// The image that holds a pod's namespaces open.
pub(crate) const PAUSE: &str = "cryptoctl.local/sandbox/pause:1";

/// The image that the exercise deploys, under its real name.
const FILE_SERVER: &str = "quay.io/k8sexercices/fileserver:v1.0";

/// The source of the programs in the images: path and text.
const SOURCES: [(&str, &str); 6] = [
    ("go.mod", include_str!("../../image/go.mod")),
    ("pause/main.go", include_str!("../../image/pause/main.go")),
    (
        "fileserver/main.go",
        include_str!("../../image/fileserver/main.go"),
    ),
    (
        "fileserver/keys.go",
        include_str!("../../image/fileserver/keys.go"),
    ),
    (
        "fileserver/exception.go",
        include_str!("../../image/fileserver/exception.go"),
    ),
    (
        "fileserver/server.go",
        include_str!("../../image/fileserver/server.go"),
    ),
];

/// Describes how the images are built; a change rebuilds them.
const RECIPE: [&str; 2] = [include_str!("mod.rs"), include_str!("layer.rs")];

/// The programs that the exercise's scripts may call; in the real image these are Debian's. It has
/// no curl and no wget.
const APPLETS: &str = "[ awk base64 basename cat chgrp chmod chown cp cut date dd df dirname du \
    echo egrep env expr false fgrep find grep groups gunzip gzip head hostname id install kill ln \
    ls md5sum mkdir mkfifo mknod mktemp mv nl nproc od paste printf pwd readlink realpath rm rmdir \
    sed seq sh sha1sum sha256sum sha512sum sleep sort stat stty sync tac tail tar tee test timeout \
    touch tr true truncate tty umount uname uniq unlink wc which whoami xargs yes";

/// An image in a file.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) name: &'static str,
    pub(crate) archive: PathBuf,
}

/// The images could not be built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// A program in the images could not be built.
    #[error("cannot build the programs of the images")]
    Build(#[from] CommandError),
}

/// The images in `folder`, the result of [`ensure`].
pub(crate) fn in_folder(folder: &Path) -> [Image; 2] {
    [
        Image {
            name: PAUSE,
            archive: folder.join("pause.tar"),
        },
        Image {
            name: FILE_SERVER,
            archive: folder.join("fileserver.tar"),
        },
    ]
}

/// The folder with the images; builds them if they are missing.
///
/// # Errors
/// When they cannot be built.
pub(crate) fn ensure(cache: &Cache, packages: &Path) -> Result<PathBuf, ImageError> {
    let go = toolchain::go_version()?;
    let packages_name = packages.file_name().unwrap_or_default().as_encoded_bytes();
    let sources = SOURCES
        .iter()
        .flat_map(|(path, text)| [path.as_bytes(), text.as_bytes()]);
    let recipe = RECIPE.iter().map(|text| text.as_bytes());
    let key = Key::of(sources.chain(recipe).chain([go.as_bytes(), packages_name]));
    cache.ensure("images", &key, |folder| make(folder, packages))
}

fn make(folder: &Path, packages: &Path) -> Result<(), ImageError> {
    let source = folder.join("source");
    for (path, text) in SOURCES {
        let path = source.join(path);
        files::create_private_folder(path.parent().unwrap_or(&source))?;
        files::write_private(&path, text)?;
    }
    let programs = folder.join("programs/");
    files::create_private_folder(&programs)?;
    toolchain::build_programs(&source, &programs)?;

    let [pause, file_server] = in_folder(folder);
    let pause_layer = pause_layer(&programs)?;
    let pause_configuration = Configuration(json!({ "Entrypoint": ["/pause"] }));
    write(&pause, &pause_layer, &pause_configuration)?;

    let file_server_layer = file_server_layer(&programs, packages)?;
    let file_server_configuration = Configuration(json!({
        "Entrypoint": ["dotnet", "FileServer.dll"],
        "WorkingDir": "/app",
        "ExposedPorts": { "80/tcp": {} },
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    }));
    write(&file_server, &file_server_layer, &file_server_configuration)
}

fn pause_layer(programs: &Path) -> Result<Vec<u8>, FileError> {
    let mut layer = Layer::default();
    layer.program("pause", &programs.join("pause"))?;
    layer.finish()
}

fn file_server_layer(programs: &Path, packages: &Path) -> Result<Vec<u8>, FileError> {
    let mut layer = Layer::default();
    for (folder, mode) in [
        ("app", 0o755),
        ("bin", 0o755),
        ("etc", 0o755),
        ("root", 0o700),
        ("tmp", 0o1777),
        ("usr", 0o755),
        ("usr/bin", 0o755),
    ] {
        layer.folder(folder, mode)?;
    }
    layer.text(
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    )?;
    layer.text("etc/group", "root:x:0:\nnogroup:x:65534:\n")?;
    layer.text(
        "app/FileServer.dll",
        "The program itself is in /usr/bin/dotnet.\n",
    )?;
    layer.program("usr/bin/dotnet", &programs.join("fileserver"))?;
    layer.program("bin/bash", &tools::program_in(packages, "bash-static"))?;
    layer.program("bin/busybox", &tools::program_in(packages, "busybox"))?;
    for applet in APPLETS.split_whitespace() {
        layer.link(&format!("bin/{applet}"), "busybox")?;
    }
    // Scripts use these by their path.
    layer.link("usr/bin/env", "../../bin/busybox")?;
    layer.finish()
}

fn write(image: &Image, layer: &[u8], configuration: &Configuration) -> Result<(), ImageError> {
    let archive = archive::render(image.name, layer, configuration)
        .map_err(FileError::at("write", &image.archive))?;
    fs::write(&image.archive, archive).map_err(FileError::at("write", &image.archive))?;
    Ok(())
}
