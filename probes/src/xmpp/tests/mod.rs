mod helpers;
mod prosody;
mod rooms;
