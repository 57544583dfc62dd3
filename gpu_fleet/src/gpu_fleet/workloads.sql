-- What runs on a reservation that does.
ALTER TABLE reservations ADD COLUMN workload TEXT CHECK (workload IS NULL OR state = 'running')
