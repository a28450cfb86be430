//! What the Matrix specification says of names, delegation and signed JSON, without the network.

mod canonical;
pub mod client;
mod delegation;
mod identity;
mod keys;
mod name;

pub use canonical::{NotCanonical, canonical_json, loose_number};
pub use delegation::{Delegation, DelegationError, MAX_BODY, parse_delegation};
pub use identity::{
    Certificate, Identity, IdentityListener, IdentityServer, Signable, Visit, VisitEnd, x_matrix,
};
pub use keys::{
    Defect, KeyDocument, KeyDocumentError, KeyState, OldKey, VerifyKey, decode_base64,
    encode_base64, is_key_id, parse_key_document, verify_signature,
};
pub use name::{Host, NameError, ServerName};
