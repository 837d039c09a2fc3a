"""What each client does, as its users do it. Every module has `client(stage)`, which gives the scenarios."""
