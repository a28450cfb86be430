mod prosody;
