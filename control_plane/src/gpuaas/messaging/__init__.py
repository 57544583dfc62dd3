"""Events on NATS JetStream: the connection, the stream, and how an event looks on the wire."""
