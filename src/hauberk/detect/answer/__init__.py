"""What an answer is, as red-team judges ask it: does it decline, is it language, is it about the request, is it safe to use."""
