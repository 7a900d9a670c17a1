"""One function per use case: options in, result out."""
