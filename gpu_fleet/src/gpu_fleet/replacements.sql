-- A reservation may take the place of another one of its instance, which is then held beside it until it is released.
ALTER TABLE reservations ADD COLUMN replaces TEXT;
DROP INDEX one_for_each_instance;
CREATE UNIQUE INDEX one_for_each_instance ON reservations (instance) WHERE state <> 'released' AND replaces IS NULL;
CREATE UNIQUE INDEX one_in_place_of_each ON reservations (replaces) WHERE state <> 'released' AND replaces IS NOT NULL
