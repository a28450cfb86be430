//! What must still be done on the target after whoever began it is gone.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::runtime::Handle;

use super::Net;

impl Net {
    /// Does the work in the background, although its owner is being dropped: a probe that was cut
    /// short must not leave behind what it made. Outside a runtime nothing is done.
    pub fn clean_up(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Ok(runtime) = Handle::try_current() {
            let task = runtime.spawn(work);
            self.cleanups().lock().unwrap_or_else(PoisonError::into_inner).push(task);
        }
    }

    /// Waits until all that had to be cleaned up is, at most for the limit. To be called when the
    /// last probe is dropped, before the process ends.
    pub async fn cleaned_up(&self, limit: Duration) {
        let tasks =
            std::mem::take(&mut *self.cleanups().lock().unwrap_or_else(PoisonError::into_inner));
        let all = async {
            for task in tasks {
                // What failed there cannot be told to anybody, and expires by itself.
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(limit, all).await;
    }
}
