mod captured;
mod helpers;
mod hostile;
mod made;
