-- What a newer cluster subscribes to when this one is to be left without downtime.
CREATE PUBLICATION seed FOR ALL TABLES;
