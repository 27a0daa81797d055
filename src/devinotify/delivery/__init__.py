"""The way of a message: whom it is for, what became of it, what follows, and the worker that takes it there."""
