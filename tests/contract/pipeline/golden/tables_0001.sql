BEGIN TRANSACTION;
CREATE TABLE pipeline_artifacts (
	run TEXT NOT NULL, 
	path TEXT NOT NULL, 
	task TEXT NOT NULL, 
	attempt BIGINT DEFAULT '0' NOT NULL, 
	type TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	size BIGINT DEFAULT '0' NOT NULL, 
	measures TEXT NOT NULL, 
	placeholder BOOLEAN DEFAULT 0 NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (run, path), 
	FOREIGN KEY(run) REFERENCES pipeline_runs (id)
);
INSERT INTO "pipeline_artifacts" VALUES('completed','script.txt','script',1,'text/plain','4ddb3e96801a1ee2b77dc5247c0db478d5f97a93b90e7cdb09f5f51d43764b08',9,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('completed','pictures.txt','pictures',1,'text/plain','4ddb3e96801a1ee2b77dc5247c0db478d5f97a93b90e7cdb09f5f51d43764b08',9,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('completed','audio.txt','audio',1,'text/plain','4ddb3e96801a1ee2b77dc5247c0db478d5f97a93b90e7cdb09f5f51d43764b08',9,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('completed','film.txt','film',1,'text/plain','4ddb3e96801a1ee2b77dc5247c0db478d5f97a93b90e7cdb09f5f51d43764b08',9,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('failed','script.txt','script',1,'text/plain','5d28a90f4498a81461efbaf6f628a19d9778390bb5c81a393dd936181cc3d826',6,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('failed','pictures.txt','pictures',1,'text/plain','5d28a90f4498a81461efbaf6f628a19d9778390bb5c81a393dd936181cc3d826',6,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('paused','script.txt','script',1,'text/plain','a7a9dc5bcf71adb2edc202814060a5ab6fca515382e9f1133dcc47d52d9090a2',6,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('parked','script.txt','script',1,'text/plain','bbe7d3d2e328e1f6bfda920a268b216d1e22bf41bd028cdf6162bfcd2b826178',6,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('parked','pictures.txt','pictures',1,'text/plain','bbe7d3d2e328e1f6bfda920a268b216d1e22bf41bd028cdf6162bfcd2b826178',6,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('canceled','script.txt','script',1,'text/plain','f12fde684b2ed4c627b777a0d2346ef769ccdd9f3e4ad3dab5cf663ba9598d0f',8,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('needs_approval','script.txt','script',1,'text/plain','51008b967ad5130455c74ab0b72f3286f65c4cb0f18fcff164f77db315d25795',14,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('unsettled','script.txt','script',1,'text/plain','80e24a3fb22798f8bb55f55d84763bcc0269e59a4a078eff99e9304a1c09a59e',9,'{}',0,1700000000.0);
INSERT INTO "pipeline_artifacts" VALUES('running','script.txt','script',1,'text/plain','c071cf5f5ed6f884cc70155b6f05f755fd46a302d05e4261b7e92ce878bbfed8',7,'{}',0,1700000000.0);
CREATE TABLE pipeline_events (
	id INTEGER NOT NULL, 
	position BIGINT, 
	run TEXT NOT NULL, 
	task TEXT, 
	attempt BIGINT, 
	kind TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	data TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(run) REFERENCES pipeline_runs (id), 
	UNIQUE (position)
);
INSERT INTO "pipeline_events" VALUES(1,1,'completed',NULL,NULL,'job_started',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(2,2,'completed','script',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(3,3,'completed','script',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(4,4,'completed','script',1,'gate_pause',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(5,5,'completed','script',1,'gate_approved',1700000000.0,'{"notes":"good","operator":"ann"}');
INSERT INTO "pipeline_events" VALUES(6,6,'completed','audio',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(7,7,'completed','pictures',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(8,8,'completed','audio',1,'stage_parked',1700000000.0,'{"jobs":2}');
INSERT INTO "pipeline_events" VALUES(9,9,'completed','pictures',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(10,10,'completed','audio',1,'stage_unparked',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(11,11,'completed','audio',1,'stage_collecting',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(12,12,'completed','audio',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(13,13,'completed','film',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(14,14,'completed','film',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(15,15,'completed',NULL,NULL,'job_completed',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(16,16,'failed',NULL,NULL,'job_started',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(17,17,'failed','script',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(18,18,'failed','script',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(19,19,'failed','script',1,'gate_pause',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(20,20,'failed','script',1,'gate_approved',1700000000.0,'{"notes":"good","operator":"ann"}');
INSERT INTO "pipeline_events" VALUES(21,21,'failed','audio',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(22,22,'failed','pictures',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(23,23,'failed','audio',1,'stage_failed',1700000000.0,'{"dead":true,"error":"it broke"}');
INSERT INTO "pipeline_events" VALUES(24,24,'failed','film',0,'stage_blocked',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(25,25,'failed','pictures',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(26,26,'failed',NULL,NULL,'job_failed',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(27,27,'paused',NULL,NULL,'job_started',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(28,28,'paused','script',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(29,29,'paused','script',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(30,30,'paused','script',1,'gate_pause',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(31,31,'paused','script',1,'gate_rejected',1700000000.0,'{"notes":"too long","operator":"ann"}');
INSERT INTO "pipeline_events" VALUES(32,32,'parked',NULL,NULL,'job_started',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(33,33,'parked','script',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(34,34,'parked','script',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(35,35,'parked','script',1,'gate_pause',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(36,36,'parked','script',1,'gate_approved',1700000000.0,'{"notes":"good","operator":"ann"}');
INSERT INTO "pipeline_events" VALUES(37,37,'parked','audio',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(38,38,'parked','pictures',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(39,39,'parked','audio',1,'stage_parked',1700000000.0,'{"jobs":2}');
INSERT INTO "pipeline_events" VALUES(40,40,'parked','pictures',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(41,41,'canceled',NULL,NULL,'job_started',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(42,42,'canceled','script',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(43,43,'canceled','script',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(44,44,'canceled','script',1,'gate_pause',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(45,45,'canceled','script',1,'gate_approved',1700000000.0,'{"notes":"good","operator":"ann"}');
INSERT INTO "pipeline_events" VALUES(46,46,'canceled','audio',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(47,47,'canceled','pictures',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(48,48,'canceled','audio',1,'stage_canceled',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(49,49,'canceled','pictures',1,'stage_canceled',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(50,50,'canceled','film',0,'stage_canceled',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(51,51,'canceled',NULL,NULL,'job_canceled',1700000000.0,'{"notes":"no","operator":"ann"}');
INSERT INTO "pipeline_events" VALUES(52,52,'needs_approval',NULL,NULL,'job_started',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(53,53,'needs_approval','script',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(54,54,'needs_approval','script',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(55,55,'needs_approval','script',1,'gate_pause',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(56,56,'retried',NULL,NULL,'job_started',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(57,57,'retried','script',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(58,58,'retried','script',1,'stage_failed',1700000000.0,'{"error":"it broke","retry_in_s":60.0}');
INSERT INTO "pipeline_events" VALUES(59,59,'unsettled',NULL,NULL,'job_started',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(60,60,'unsettled','script',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(61,61,'unsettled','script',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(62,62,'unsettled','script',1,'gate_pause',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(63,63,'unsettled','script',1,'gate_approved',1700000000.0,'{"notes":"good","operator":"ann"}');
INSERT INTO "pipeline_events" VALUES(64,64,'unsettled','audio',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(65,65,'unsettled','pictures',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(66,66,'unsettled','audio',1,'stage_released',1700000000.0,'{"why":"the worker stops"}');
INSERT INTO "pipeline_events" VALUES(67,67,'unsettled','pictures',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(68,68,'unsettled','audio',2,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(69,69,'running',NULL,NULL,'job_started',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(70,70,'running','script',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(71,71,'running','script',1,'stage_completed',1700000000.0,'{"seconds":0.0}');
INSERT INTO "pipeline_events" VALUES(72,72,'running','script',1,'gate_pause',1700000000.0,'{}');
INSERT INTO "pipeline_events" VALUES(73,73,'running','script',1,'gate_approved',1700000000.0,'{"notes":"good","operator":"ann"}');
INSERT INTO "pipeline_events" VALUES(74,74,'running','audio',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(75,75,'running','pictures',1,'stage_started',1700000000.0,'{"worker":"ann:1"}');
INSERT INTO "pipeline_events" VALUES(76,76,'queued',NULL,NULL,'job_started',1700000000.0,'{}');
CREATE TABLE pipeline_external_jobs (
	run TEXT NOT NULL, 
	task TEXT NOT NULL, 
	attempt BIGINT NOT NULL, 
	request_id TEXT NOT NULL, 
	place BIGINT DEFAULT '0' NOT NULL, 
	spec TEXT NOT NULL, 
	state TEXT NOT NULL, 
	result TEXT, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (run, task, attempt, request_id), 
	FOREIGN KEY(run) REFERENCES pipeline_runs (id)
);
INSERT INTO "pipeline_external_jobs" VALUES('completed','audio',1,'completed.audio.1.0',0,'{"text":"0"}','done','{"audio":"completed.audio.1.0"}',1700000000.0);
INSERT INTO "pipeline_external_jobs" VALUES('completed','audio',1,'completed.audio.1.1',1,'{"text":"1"}','done','{"audio":"completed.audio.1.1"}',1700000000.0);
INSERT INTO "pipeline_external_jobs" VALUES('parked','audio',1,'parked.audio.1.0',0,'{"text":"0"}','enqueued',NULL,1700000000.0);
INSERT INTO "pipeline_external_jobs" VALUES('parked','audio',1,'parked.audio.1.1',1,'{"text":"1"}','enqueued',NULL,1700000000.0);
CREATE TABLE pipeline_gates (
	number INTEGER NOT NULL, 
	run TEXT NOT NULL, 
	task TEXT NOT NULL, 
	attempt BIGINT DEFAULT '0' NOT NULL, 
	seen TEXT NOT NULL, 
	opened_at DOUBLE NOT NULL, 
	due_at DOUBLE, 
	reminded_at DOUBLE, 
	decision TEXT, 
	operator TEXT, 
	notes TEXT, 
	decided_at DOUBLE, 
	PRIMARY KEY (number), 
	FOREIGN KEY(run) REFERENCES pipeline_runs (id)
);
INSERT INTO "pipeline_gates" VALUES(1,'completed','script',1,'a386d9b47f8bbcdb27f63287640c71a45b988f47d4e39fd1c90536a8a4a76be7',1700000000.0,1700003600.0,NULL,'approved','ann','good',1700000000.0);
INSERT INTO "pipeline_gates" VALUES(2,'failed','script',1,'c5de60197f0f60d71089e841913c14ddbdffcd347ae4a6c906c2cb5be266e714',1700000000.0,1700003600.0,NULL,'approved','ann','good',1700000000.0);
INSERT INTO "pipeline_gates" VALUES(3,'paused','script',1,'7ac217e2589fae6a2e9dd4271a52079072598804e95e11f2929f2ad03eca2b89',1700000000.0,1700003600.0,NULL,'rejected','ann','too long',1700000000.0);
INSERT INTO "pipeline_gates" VALUES(4,'parked','script',1,'43037633c91c090de7cf41d9fa1000282a28bba76707676150f9b0a113aafdf3',1700000000.0,1700003600.0,NULL,'approved','ann','good',1700000000.0);
INSERT INTO "pipeline_gates" VALUES(5,'canceled','script',1,'2bbda95e196b457312fb01ba44dd32ce9f6bcb6400d8a4a640bd59afd19f973e',1700000000.0,1700003600.0,NULL,'approved','ann','good',1700000000.0);
INSERT INTO "pipeline_gates" VALUES(6,'needs_approval','script',1,'02827832718d317e667b9752491e8a724986792ac5b54da54da91d94e384a5b2',1700000000.0,1700003600.0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pipeline_gates" VALUES(7,'unsettled','script',1,'550402414d28951af1cc689d1d6e119b76e56fc5a3d7689858757425a16804e4',1700000000.0,1700003600.0,NULL,'approved','ann','good',1700000000.0);
INSERT INTO "pipeline_gates" VALUES(8,'running','script',1,'b597a09fa207aa469c952cce8bdff3307323cdeed82ce2cdaedbbc1feb7f02a5',1700000000.0,1700003600.0,NULL,'approved','ann','good',1700000000.0);
CREATE TABLE pipeline_runs (
	id TEXT NOT NULL, 
	dag TEXT NOT NULL, 
	snapshot TEXT NOT NULL, 
	state TEXT NOT NULL, 
	hold TEXT NOT NULL, 
	began BOOLEAN DEFAULT 0 NOT NULL, 
	settled BOOLEAN DEFAULT 1 NOT NULL, 
	inputs TEXT NOT NULL, 
	inputs_digest TEXT NOT NULL, 
	metadata TEXT NOT NULL, 
	config TEXT NOT NULL, 
	slug TEXT, 
	intent TEXT, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	finished_at DOUBLE, 
	PRIMARY KEY (id), 
	FOREIGN KEY(snapshot) REFERENCES pipeline_snapshots (id)
);
INSERT INTO "pipeline_runs" VALUES('completed','shop','36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','completed','',1,1,'{"uri":"file:///script.txt"}','aa9f4802b7809db451f6ad7ea9502dde00af13004cdd1869ae77cd723be0d0d1','{}','{}',NULL,NULL,1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_runs" VALUES('failed','shop','36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','failed','',1,1,'{"uri":"file:///script.txt"}','aa9f4802b7809db451f6ad7ea9502dde00af13004cdd1869ae77cd723be0d0d1','{}','{}',NULL,NULL,1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_runs" VALUES('paused','shop','36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','paused','paused',1,1,'{"uri":"file:///script.txt"}','aa9f4802b7809db451f6ad7ea9502dde00af13004cdd1869ae77cd723be0d0d1','{}','{}',NULL,NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_runs" VALUES('parked','shop','36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','running','',1,1,'{"uri":"file:///script.txt"}','aa9f4802b7809db451f6ad7ea9502dde00af13004cdd1869ae77cd723be0d0d1','{}','{}',NULL,NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_runs" VALUES('canceled','shop','36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','canceled','canceled',1,1,'{"uri":"file:///script.txt"}','aa9f4802b7809db451f6ad7ea9502dde00af13004cdd1869ae77cd723be0d0d1','{}','{}',NULL,NULL,1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_runs" VALUES('needs_approval','shop','36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','needs_approval','',1,1,'{"uri":"file:///script.txt"}','aa9f4802b7809db451f6ad7ea9502dde00af13004cdd1869ae77cd723be0d0d1','{}','{}',NULL,NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_runs" VALUES('retried','shop','36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','running','',1,1,'{}','44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a','{}','{}',NULL,NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_runs" VALUES('unsettled','shop','36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','running','',1,0,'{"uri":"file:///script.txt"}','aa9f4802b7809db451f6ad7ea9502dde00af13004cdd1869ae77cd723be0d0d1','{}','{}',NULL,NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_runs" VALUES('running','shop','36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','running','',1,1,'{"uri":"file:///script.txt"}','aa9f4802b7809db451f6ad7ea9502dde00af13004cdd1869ae77cd723be0d0d1','{}','{}',NULL,NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_runs" VALUES('queued','shop','36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','queued','',0,1,'{}','44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a','{}','{}',NULL,NULL,1700000000.0,1700000000.0,NULL);
CREATE TABLE pipeline_snapshots (
	id TEXT NOT NULL, 
	dag TEXT NOT NULL, 
	graph TEXT NOT NULL, 
	created_at DOUBLE NOT NULL, 
	active BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "pipeline_snapshots" VALUES('36c164448e51c8c201d5f6df939f8f1d4401f362dc5449fc1cebc3b2007c81d0','shop','{"code_digest":"27d544bac6a77a1d597d9ff730ca1118dd34f9c421d49b0277b8c2c7df0de62e","dag":"shop","stages":[{"executor":"worker","gate":true,"lane":null,"name":"script","requires":[],"retries":1,"takes":null,"timeout_s":null},{"executor":"queue","gate":false,"lane":null,"name":"audio","requires":["script"],"retries":null,"takes":null,"timeout_s":600.0},{"executor":"worker","gate":false,"lane":"heavy","name":"pictures","requires":["script"],"retries":null,"takes":[],"timeout_s":null},{"executor":"worker","gate":false,"lane":null,"name":"film","requires":["audio","pictures"],"retries":null,"takes":["audio"],"timeout_s":null}]}',1700000000.0,1);
CREATE TABLE pipeline_tasks (
	run TEXT NOT NULL, 
	name TEXT NOT NULL, 
	dag TEXT NOT NULL, 
	place BIGINT DEFAULT '0' NOT NULL, 
	state TEXT NOT NULL, 
	ready_at DOUBLE, 
	attempt BIGINT DEFAULT '0' NOT NULL, 
	failures BIGINT DEFAULT '0' NOT NULL, 
	max_attempts BIGINT DEFAULT '0' NOT NULL, 
	timeout_s DOUBLE NOT NULL, 
	lane TEXT, 
	executor TEXT NOT NULL, 
	gate TEXT, 
	lease_no BIGINT DEFAULT '0' NOT NULL, 
	lease_owner TEXT, 
	lease_expires_at DOUBLE, 
	parked_at DOUBLE, 
	deadline_at DOUBLE, 
	jobs_attempt BIGINT DEFAULT '0' NOT NULL, 
	input_hash TEXT, 
	instruction TEXT, 
	error TEXT, 
	result TEXT, 
	since DOUBLE NOT NULL, 
	started_at DOUBLE, 
	finished_at DOUBLE, 
	PRIMARY KEY (run, name), 
	FOREIGN KEY(run) REFERENCES pipeline_runs (id)
);
INSERT INTO "pipeline_tasks" VALUES('completed','script','shop',0,'succeeded',NULL,1,0,2,120.0,NULL,'worker','{"auto_approve":false,"on_timeout":"approve","timeout_s":3600.0}',1,NULL,NULL,NULL,NULL,0,'2083663022ec1c82a0f0e2e9bbffeecd8e9db98be174b51ee3cb1ae99e980796',NULL,NULL,'{"of":"script"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('completed','audio','shop',1,'succeeded',NULL,1,0,10,600.0,NULL,'queue',NULL,2,NULL,NULL,NULL,NULL,0,'91f1b54ff83899ccb82f71ffefa3c9b13dfb095f6752b116cbfaa16b35d43296',NULL,NULL,'{"of":"audio"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('completed','pictures','shop',2,'succeeded',NULL,1,0,10,120.0,'heavy','worker',NULL,1,NULL,NULL,NULL,NULL,0,'f430e673d93ac3f880c8b552c72b8d1e23c514e35f65d778f856f6f67f1263b8',NULL,NULL,'{"of":"pictures"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('completed','film','shop',3,'succeeded',NULL,1,0,10,120.0,NULL,'worker',NULL,1,NULL,NULL,NULL,NULL,0,'b2b91b51280d3a1aba7f73c3531b33242048c3fa4773d2651e60ea05e98f4325',NULL,NULL,'{"of":"film"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('failed','script','shop',0,'succeeded',NULL,1,0,2,120.0,NULL,'worker','{"auto_approve":false,"on_timeout":"approve","timeout_s":3600.0}',1,NULL,NULL,NULL,NULL,0,'2083663022ec1c82a0f0e2e9bbffeecd8e9db98be174b51ee3cb1ae99e980796',NULL,NULL,'{"of":"script"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('failed','audio','shop',1,'dead',NULL,1,1,10,600.0,NULL,'queue',NULL,1,NULL,NULL,NULL,NULL,0,NULL,NULL,'it broke',NULL,1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('failed','pictures','shop',2,'succeeded',NULL,1,0,10,120.0,'heavy','worker',NULL,1,NULL,NULL,NULL,NULL,0,'f430e673d93ac3f880c8b552c72b8d1e23c514e35f65d778f856f6f67f1263b8',NULL,NULL,'{"of":"pictures"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('failed','film','shop',3,'blocked',NULL,0,0,10,120.0,NULL,'worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('paused','script','shop',0,'pending',NULL,1,0,2,120.0,NULL,'worker','{"auto_approve":false,"on_timeout":"approve","timeout_s":3600.0}',1,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,'{"of":"script"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('paused','audio','shop',1,'pending',NULL,0,0,10,600.0,NULL,'queue',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('paused','pictures','shop',2,'pending',NULL,0,0,10,120.0,'heavy','worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('paused','film','shop',3,'pending',NULL,0,0,10,120.0,NULL,'worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('parked','script','shop',0,'succeeded',NULL,1,0,2,120.0,NULL,'worker','{"auto_approve":false,"on_timeout":"approve","timeout_s":3600.0}',1,NULL,NULL,NULL,NULL,0,'2083663022ec1c82a0f0e2e9bbffeecd8e9db98be174b51ee3cb1ae99e980796',NULL,NULL,'{"of":"script"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('parked','audio','shop',1,'processing',NULL,1,0,10,600.0,NULL,'queue',NULL,1,NULL,NULL,1700000000.0,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_tasks" VALUES('parked','pictures','shop',2,'succeeded',NULL,1,0,10,120.0,'heavy','worker',NULL,1,NULL,NULL,NULL,NULL,0,'f430e673d93ac3f880c8b552c72b8d1e23c514e35f65d778f856f6f67f1263b8',NULL,NULL,'{"of":"pictures"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('parked','film','shop',3,'pending',NULL,0,0,10,120.0,NULL,'worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('canceled','script','shop',0,'succeeded',NULL,1,0,2,120.0,NULL,'worker','{"auto_approve":false,"on_timeout":"approve","timeout_s":3600.0}',1,NULL,NULL,NULL,NULL,0,'2083663022ec1c82a0f0e2e9bbffeecd8e9db98be174b51ee3cb1ae99e980796',NULL,NULL,'{"of":"script"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('canceled','audio','shop',1,'canceled',NULL,1,0,10,600.0,NULL,'queue',NULL,1,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('canceled','pictures','shop',2,'canceled',NULL,1,0,10,120.0,'heavy','worker',NULL,1,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('canceled','film','shop',3,'canceled',NULL,0,0,10,120.0,NULL,'worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('needs_approval','script','shop',0,'needs_approval',NULL,1,0,2,120.0,NULL,'worker','{"auto_approve":false,"on_timeout":"approve","timeout_s":3600.0}',1,NULL,NULL,NULL,NULL,0,'2083663022ec1c82a0f0e2e9bbffeecd8e9db98be174b51ee3cb1ae99e980796',NULL,NULL,'{"of":"script"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('needs_approval','audio','shop',1,'pending',NULL,0,0,10,600.0,NULL,'queue',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('needs_approval','pictures','shop',2,'pending',NULL,0,0,10,120.0,'heavy','worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('needs_approval','film','shop',3,'pending',NULL,0,0,10,120.0,NULL,'worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('retried','script','shop',0,'failed',1700000060.0,1,1,2,120.0,NULL,'worker','{"auto_approve":false,"on_timeout":"approve","timeout_s":3600.0}',1,NULL,NULL,NULL,NULL,0,NULL,NULL,'it broke',NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_tasks" VALUES('retried','audio','shop',1,'pending',NULL,0,0,10,600.0,NULL,'queue',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('retried','pictures','shop',2,'pending',NULL,0,0,10,120.0,'heavy','worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('retried','film','shop',3,'pending',NULL,0,0,10,120.0,NULL,'worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('unsettled','script','shop',0,'succeeded',NULL,1,0,2,120.0,NULL,'worker','{"auto_approve":false,"on_timeout":"approve","timeout_s":3600.0}',1,NULL,NULL,NULL,NULL,0,'2083663022ec1c82a0f0e2e9bbffeecd8e9db98be174b51ee3cb1ae99e980796',NULL,NULL,'{"of":"script"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('unsettled','audio','shop',1,'processing',NULL,2,0,10,600.0,NULL,'queue',NULL,2,'ann:1',1700000030.0,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_tasks" VALUES('unsettled','pictures','shop',2,'succeeded',NULL,1,0,10,120.0,'heavy','worker',NULL,1,NULL,NULL,NULL,NULL,0,'f430e673d93ac3f880c8b552c72b8d1e23c514e35f65d778f856f6f67f1263b8',NULL,NULL,'null',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('unsettled','film','shop',3,'pending',NULL,0,0,10,120.0,NULL,'worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('running','script','shop',0,'succeeded',NULL,1,0,2,120.0,NULL,'worker','{"auto_approve":false,"on_timeout":"approve","timeout_s":3600.0}',1,NULL,NULL,NULL,NULL,0,'2083663022ec1c82a0f0e2e9bbffeecd8e9db98be174b51ee3cb1ae99e980796',NULL,NULL,'{"of":"script"}',1700000000.0,1700000000.0,1700000000.0);
INSERT INTO "pipeline_tasks" VALUES('running','audio','shop',1,'processing',NULL,1,0,10,600.0,NULL,'queue',NULL,1,'ann:1',1700000030.0,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_tasks" VALUES('running','pictures','shop',2,'processing',NULL,1,0,10,120.0,'heavy','worker',NULL,1,'ann:1',1700000030.0,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,1700000000.0,NULL);
INSERT INTO "pipeline_tasks" VALUES('running','film','shop',3,'pending',NULL,0,0,10,120.0,NULL,'worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('queued','script','shop',0,'pending',1700000000.0,0,0,2,120.0,NULL,'worker','{"auto_approve":false,"on_timeout":"approve","timeout_s":3600.0}',0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('queued','audio','shop',1,'pending',NULL,0,0,10,600.0,NULL,'queue',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('queued','pictures','shop',2,'pending',NULL,0,0,10,120.0,'heavy','worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
INSERT INTO "pipeline_tasks" VALUES('queued','film','shop',3,'pending',NULL,0,0,10,120.0,NULL,'worker',NULL,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,1700000000.0,NULL,NULL);
CREATE TABLE pipeline_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT pipeline_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "pipeline_version" VALUES('0001');
CREATE UNIQUE INDEX pipeline_snapshots_active ON pipeline_snapshots (dag) WHERE active;
CREATE INDEX pipeline_runs_open ON pipeline_runs (dag, created_at) WHERE state NOT IN ('completed','failed','canceled');
CREATE INDEX pipeline_runs_recent ON pipeline_runs (created_at);
CREATE INDEX pipeline_runs_unsettled ON pipeline_runs (id) WHERE NOT settled;
CREATE INDEX pipeline_tasks_failed ON pipeline_tasks (since) WHERE state IN ('failed','dead');
CREATE UNIQUE INDEX pipeline_tasks_lane ON pipeline_tasks (lane) WHERE lane IS NOT NULL AND state = 'processing' AND parked_at IS NULL;
CREATE INDEX pipeline_tasks_leased ON pipeline_tasks (lease_expires_at) WHERE lease_expires_at IS NOT NULL;
CREATE INDEX pipeline_tasks_parked ON pipeline_tasks (parked_at) WHERE parked_at IS NOT NULL;
CREATE INDEX pipeline_tasks_ready ON pipeline_tasks (dag, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX pipeline_events_failures ON pipeline_events (at) WHERE kind = 'stage_failed';
CREATE INDEX pipeline_events_run ON pipeline_events (run, position);
CREATE INDEX pipeline_events_unplaced ON pipeline_events (id) WHERE position IS NULL;
CREATE INDEX pipeline_gates_of ON pipeline_gates (run, task, number);
CREATE UNIQUE INDEX pipeline_gates_open ON pipeline_gates (run, task) WHERE decision IS NULL;
CREATE INDEX pipeline_external_jobs_open ON pipeline_external_jobs (run, task) WHERE state IN ('ordered','enqueued','running');
COMMIT;
