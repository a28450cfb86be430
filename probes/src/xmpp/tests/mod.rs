mod helpers;
mod hostile;
mod prosody;
mod rooms;
