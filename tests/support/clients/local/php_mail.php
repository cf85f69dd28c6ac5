<?php
exit(mail(getenv('RECIPIENT'), getenv('SUBJECT'), getenv('BODY'), 'From: ' . getenv('SENDER')) ? 0 : 1);
