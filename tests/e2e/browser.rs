//! Opens a page in a real browser: what it renders, what it measures, and its errors.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::variable;

/// The width of a small phone, in CSS pixels.
const PHONE: u32 = 360;

/// A page as a browser loads it.
pub(crate) struct Rendered {
    /// The document after loading.
    pub(crate) document: String,
    /// The page's console output: errors, and violations of its own policy.
    pub(crate) console: Vec<String>,
}

/// A browser's measurements on a phone.
pub(crate) struct Phone {
    /// The available width.
    pub(crate) width: u64,
    /// The width of the page.
    pub(crate) scroll_width: u64,
    /// The words of the heading as shown.
    pub(crate) heading: String,
    /// The heights of the strips.
    pub(crate) strips: Vec<f64>,
}

/// Loads a page.
pub(crate) fn load(page: &Path) -> Rendered {
    let output = browse(page);
    let said = String::from_utf8_lossy(&output.stderr);
    Rendered {
        document: String::from_utf8(output.stdout).unwrap(),
        console: said
            .lines()
            .filter(|line| line.contains("CONSOLE"))
            .map(str::to_owned)
            .collect(),
    }
}

/// Measures a page in a frame as wide as a phone. The page itself runs no script: the one that
/// measures stands in a document around it.
pub(crate) fn on_a_phone(page: &Path) -> Phone {
    let around = page.with_file_name("around.html");
    let name = page.file_name().unwrap().to_str().unwrap();
    let text = AROUND
        .replace("PAGE", name)
        .replace("WIDTH", &PHONE.to_string());
    std::fs::write(&around, text).unwrap();
    let document = String::from_utf8(browse(&around).stdout).unwrap();
    let (_, rest) = document.split_once("<pre>").unwrap();
    let (measured, _) = rest.split_once("</pre>").unwrap();
    let measured: Value = serde_json::from_str(measured).unwrap();
    let strips = measured["strips"].as_array().unwrap();
    Phone {
        width: measured["width"].as_u64().unwrap(),
        scroll_width: measured["scroll_width"].as_u64().unwrap(),
        heading: measured["heading"].as_str().unwrap().to_owned(),
        strips: strips.iter().filter_map(Value::as_f64).collect(),
    }
}

fn browse(page: &Path) -> Output {
    let output = Command::new(variable("CRYPTOCTL_SANDBOX_BROWSER"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", page.parent().unwrap())
        .args([
            // The tests run as root, and the page is our own.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--enable-logging=stderr",
            // The document around a page reads what the page has become.
            "--allow-file-access-from-files",
            "--virtual-time-budget=2000",
            "--dump-dom",
        ])
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

const AROUND: &str = r#"<!DOCTYPE html><meta charset="utf-8"><title>around</title><pre></pre>
<iframe src="PAGE" width="WIDTH" height="740" style="border:0"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => {
  const page = frame.contentDocument;
  document.querySelector("pre").textContent = JSON.stringify({
    width: page.documentElement.clientWidth,
    scroll_width: page.documentElement.scrollWidth,
    heading: page.querySelector("h1").innerText,
    strips: [...page.querySelectorAll("svg.strip")].map((strip) => strip.getBoundingClientRect().height),
  });
});
</script>
"#;
