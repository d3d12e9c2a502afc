"""What a user can do with AccelTran besides what every simulator offers."""
