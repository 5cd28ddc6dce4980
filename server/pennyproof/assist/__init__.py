"""What the user asked for: debug, prove, run tests, explain; and the cascade that joins the parts below."""
