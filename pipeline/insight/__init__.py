"""What analysts look into and chart in notebooks: shapes, what-ifs, half-days, and what answers brought."""
