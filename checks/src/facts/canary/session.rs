//! Somebody who is logged in, and leaves however the run ends.

use mxdoctor_probes::Net;
use mxdoctor_probes::conference::Lease;
use mxdoctor_probes::matrix::client::Client;

use super::journal::Journal;
use super::{Account, Ended};

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// With the token.
    pub(super) client: Client,
    /// With an admin's token, where there is one.
    pub(super) admin: Option<Client>,
    pub(super) account: Account,
    /// Full user id.
    pub(super) user_id: String,
    /// The device, where the token has one.
    pub(super) device: Option<String>,
    /// Only where the account is to be deactivated.
    pub(super) password: Option<String>,
    /// The room that is kept, where it is configured.
    pub(super) room: Option<String>,
}

/// The time between login and goodbye. Cut short, the goodbye is said in the background.
pub(super) struct Stay {
    net: Net,
    open: Option<(Session, Lease)>,
}

impl Stay {
    pub(super) fn begin(net: &Net, session: Session, lease: Lease) -> Self {
        Self { net: net.clone(), open: Some((session, lease)) }
    }

    pub(super) fn session(&self) -> &Session {
        let open = self.open.as_ref().map(|(session, _)| session);
        open.expect("open until its end, which takes it")
    }

    /// Leaves.
    pub(super) async fn end(mut self, journal: &mut Journal) -> Ended {
        let mut ended = Ended::default();
        if let Some((session, _)) = &self.open {
            session.wind_up(&mut ended.steps).await;
            session.close_account(journal, &mut ended.steps);
        }
        self.open = None;
        ended
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        if let Some((session, lease)) = self.open.take() {
            self.net.clean_up(async move {
                // Whatever is not undone stays in the journal.
                session.wind_up(&mut Vec::new()).await;
                drop(lease);
            });
        }
    }
}
