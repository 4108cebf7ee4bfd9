//! Pools.

use crate::{Client, Error};
use consort_wire::{AddToBudget, Pool};

impl Client {
    /// `GET /pools`: all of them.
    ///
    /// # Errors
    /// As every call.
    pub async fn pools(&self) -> Result<Vec<Pool>, Error> {
        self.every(&["pools"]).await
    }

    /// `POST /pools/{p}/add`.
    ///
    /// # Errors
    /// `NotFound` when there is no such budget, and as every call.
    pub async fn add_to_pool(&self, name: &str, more: &AddToBudget) -> Result<Pool, Error> {
        self.post(&["pools", name, "add"], more).await
    }
}
