//! Cases that every engine of pymode-dylink must pass.
