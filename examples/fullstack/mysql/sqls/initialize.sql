-- Run by the database's image when its data directory is empty, in the database that MYSQL_DATABASE names.
CREATE TABLE IF NOT EXISTS lists (
  id INTEGER AUTO_INCREMENT,
  value TEXT NOT NULL,
  PRIMARY KEY (id)
);

INSERT INTO lists (value) VALUES ('a value from initialize.sql');
