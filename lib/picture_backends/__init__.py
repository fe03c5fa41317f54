"""What is known of whoever draws pictures, without drawing any."""
