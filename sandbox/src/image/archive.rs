//! An image as one file: the OCI image layout in a tar archive.

use std::io;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, Header};

use crate::random;

/// How a container of the image is started, in the terms of the OCI image configuration.
pub(super) struct Configuration(pub(super) Value);

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIGURATION_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";

/// An archive with one image of one layer.
pub(super) fn render(
    name: &str,
    layer: &[u8],
    configuration: &Configuration,
) -> io::Result<Vec<u8>> {
    let configuration = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": configuration.0,
        "rootfs": { "type": "layers", "diff_ids": [digest(layer)] },
    })
    .to_string();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor(CONFIGURATION_TYPE, configuration.as_bytes()),
        "layers": [descriptor(LAYER_TYPE, layer)],
    })
    .to_string();
    let mut entry = descriptor(MANIFEST_TYPE, manifest.as_bytes());
    entry["annotations"] = json!({ "io.containerd.image.name": name });
    let index = json!({ "schemaVersion": 2, "manifests": [entry] }).to_string();

    let mut archive = Builder::new(Vec::new());
    append(
        &mut archive,
        "oci-layout",
        br#"{"imageLayoutVersion":"1.0.0"}"#,
    )?;
    append(&mut archive, "index.json", index.as_bytes())?;
    for blob in [manifest.as_bytes(), configuration.as_bytes(), layer] {
        let path = format!("blobs/{}", digest(blob).replace(':', "/"));
        append(&mut archive, &path, blob)?;
    }
    archive.into_inner()
}

fn append(archive: &mut Builder<Vec<u8>>, path: &str, content: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    archive.append_data(&mut header, path, content)
}

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(content), "size": content.len() })
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", random::hexadecimal(&Sha256::digest(content)))
}

/// This machine's architecture, in Go's words.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::io::Read;

    #[test]
    fn every_descriptor_leads_to_its_blob() {
        let rendered = render(
            "example.org/a/b:1",
            b"layer",
            &Configuration(json!({ "Entrypoint": ["/x"] })),
        )
        .unwrap();
        let mut archive = tar::Archive::new(rendered.as_slice());
        let files: BTreeMap<String, String> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let mut entry = entry.unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                (entry.path().unwrap().display().to_string(), text)
            })
            .collect();
        let blob = |descriptor: &Value| {
            let digest = descriptor["digest"].as_str().unwrap();
            let text = &files[&format!("blobs/{}", digest.replace(':', "/"))];
            assert_eq!(descriptor["size"], text.len());
            text
        };
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();

        let entry = &parse(&files["index.json"])["manifests"][0];
        assert_eq!(
            entry["annotations"]["io.containerd.image.name"],
            "example.org/a/b:1"
        );
        let manifest = parse(blob(entry));
        assert_eq!(blob(&manifest["layers"][0]), "layer");
        let configuration = parse(blob(&manifest["config"]));
        assert_eq!(configuration["config"]["Entrypoint"][0], "/x");
        assert_eq!(configuration["rootfs"]["diff_ids"][0], digest(b"layer"));
    }
}
