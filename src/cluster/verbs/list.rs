//! Lists whole sets: an answer in pages is read to its last one, or not taken at all.

use kube::core::params::ListParams;
use serde::de::DeserializeOwned;

use super::super::connect::Cluster;
use super::super::error::ClusterError;
use super::super::request::decode::{self, Page};
use super::super::request::exchange::LARGEST_ANSWER;
use super::discovery::ResourceKind;
use super::objects::{invalid, requests};

/// How often a list is begun whose state the API server forgets before its last page.
const ATTEMPTS: u32 = 3;

impl Cluster {
    /// Lists the most recent state of objects, by label and field selectors.
    ///
    /// # Errors
    /// Any [`ClusterError`] of a request.
    pub async fn list<T: DeserializeOwned>(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        labels: Option<&str>,
        fields: Option<&str>,
    ) -> Result<Vec<T>, ClusterError> {
        let parameters = ListParams {
            label_selector: labels.map(str::to_owned),
            field_selector: fields.map(str::to_owned),
            ..ListParams::default()
        };
        let decode = |bytes: &[u8]| decode::page(bytes, kind);
        // On the heap, for the same reason as every read.
        let pages = Box::pin(self.pages(kind, namespace, &parameters, decode));
        let (items, _) = pages.await?;
        Ok(items)
    }

    /// The items of all pages, and the version of the state that they show.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub(crate) async fn pages<T>(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        parameters: &ListParams,
        decode: impl Fn(&[u8]) -> Result<Page<T>, ClusterError>,
    ) -> Result<(Vec<T>, String), ClusterError> {
        let mut attempt = 1;
        loop {
            let pages = self.pages_once(kind, namespace, parameters, &decode);
            match pages.await {
                Err(ClusterError::Refused { code: 410, .. }) if attempt < ATTEMPTS => attempt += 1,
                listed => return listed,
            }
        }
    }

    async fn pages_once<T>(
        &self,
        kind: &ResourceKind,
        namespace: Option<&str>,
        parameters: &ListParams,
        decode: impl Fn(&[u8]) -> Result<Page<T>, ClusterError>,
    ) -> Result<(Vec<T>, String), ClusterError> {
        let mut parameters = parameters.clone();
        let mut items = Vec::new();
        let mut version = None;
        let mut size = 0_usize;
        loop {
            let request = requests(kind, namespace)
                .list(&parameters)
                .map_err(invalid)?;
            let page = self.sender.read(request, &decode).await?;
            size = size.saturating_add(page.size);
            if size > LARGEST_ANSWER {
                return Err(ClusterError::TooLarge {
                    what: "a longer list than any that was asked for",
                });
            }
            // All pages show one state, and each of them brings the list nearer to its end.
            let is_same_state = version.get_or_insert(page.version.clone()) == &page.version;
            let leads_on = !page.items.is_empty()
                && parameters.continue_token.as_deref() != Some(page.rest.as_str());
            if !is_same_state || (!page.rest.is_empty() && !leads_on) {
                return Err(ClusterError::Undecodable {
                    reason: "the pages of the list do not belong together".to_owned(),
                });
            }
            items.extend(page.items);
            if page.rest.is_empty() {
                return Ok((items, page.version));
            }
            parameters.continue_token = Some(page.rest);
        }
    }
}
