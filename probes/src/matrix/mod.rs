//! What the Matrix specification says of names, delegation and signed JSON, without the network.

mod canonical;
mod delegation;
mod keys;
mod name;

pub use canonical::{NotCanonical, canonical_json, loose_number};
pub use delegation::{Delegation, DelegationError, MAX_BODY, parse_delegation};
pub use keys::{
    Defect, KeyDocument, KeyDocumentError, KeyState, OldKey, VerifyKey, decode_base64,
    encode_base64, parse_key_document, verify_signature,
};
pub use name::{Host, NameError, ServerName};
